"""Runs the conformance checks on the components of a plugin: as pytest tests, or one by one for the command line."""

from __future__ import annotations

import pkgutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mlpkit.components.component import Component
from mlpkit.components.dataset import Dataset
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import NotExportableError, UsageError
from mlpkit.registry.plugin import one_line
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.testing.suite import checks
from mlpkit.testing.suite.check import Blocked, Check, CheckFailure, NotApplicable, described
from mlpkit.testing.suite.checks import every_component
from mlpkit.testing.suite.checks.operation import OperationExample
from mlpkit.testing.suite.plugin_under_test import ComponentUnderTest, Example, subjects_of


@cache
def all_checks() -> tuple[Check, ...]:
    """Return every check, in the order of folders, files and lines, with prerequisites first."""
    collected: dict[str, Check] = {}
    for module in pkgutil.walk_packages(checks.__path__, f"{checks.__name__}."):
        members = vars(import_module(module.name)).values()
        collected |= {member.name: member for member in members if isinstance(member, Check)}
    return tuple(collected.values())


def checks_for(kind: str) -> list[Check]:
    """Return the checks for a kind of component."""
    return [check for check in all_checks() if kind in check.kinds]


TO_BUILD = ("can_be_loaded", "has_examples", "examples_can_be_built")
TO_USE = "can_be_used"

PREREQUISITES = (*TO_BUILD, TO_USE)
"""Checks that come first, in this order: if one fails, all later ones are blocked."""


def run_check(check: Check, subject: ComponentUnderTest, prerequisites: tuple[str, ...] = PREREQUISITES) -> None:
    """Run a check on a component."""
    __tracebackhide__ = True
    _run_prerequisites(prerequisites, check, subject)
    if not check.each_example:
        _run_on(subject, check, subject, "")
        return
    for example in subject.examples:
        _run_on(example, check, subject, example.title())


def _run_on(checked: ComponentUnderTest | Example, check: Check, subject: ComponentUnderTest, title: str) -> None:
    __tracebackhide__ = True
    place = f" ({title})" if title else ""
    try:
        check.function(checked)
    except CheckFailure as failure:
        raise CheckFailure(
            f"{subject.name}{place}: {failure.happened}", expected=failure.expected, remedy=failure.remedy
        ) from failure.__cause__
    except NotApplicable:
        raise
    except Exception as error:
        raise CheckFailure(
            f"{subject.name}{place}: it raised {described(error)}",
            expected="no exception",
            remedy=f"the check asks: {check.asks}",
        ) from error


def _run_prerequisites(prerequisites: tuple[str, ...], check: Check, subject: ComponentUnderTest) -> None:
    for earlier in prerequisites:
        if check.name == earlier or (earlier == TO_USE and check.says_why_unusable):
            return
        if not _passes(earlier, subject):
            raise Blocked(earlier)


def _passes(name: str, subject: ComponentUnderTest) -> bool:
    if name not in subject.answers:
        (check,) = (check for check in checks_for(subject.kind) if check.name == name)
        try:
            run_check(check, subject)
        except CheckFailure:
            subject.answers[name] = False
        else:
            subject.answers[name] = True
    return subject.answers[name]


@dataclass(frozen=True)
class FailedCheck:
    """A check that a component didn't pass, and whether that may follow from the failure of an earlier one."""

    check: str
    asks: str
    reason: str
    may_follow: bool = False


@dataclass(frozen=True)
class CheckedComponent:
    """The results of a component's checks: how many were run or blocked by a failed check, and the failed ones.

    A root cause is first among these.
    """

    name: str
    kind: str
    passed: bool
    checks: int
    left_out: int
    failed: tuple[FailedCheck, ...]


def check_plugin(plugin: str, files: Sequence[str] = ()) -> Iterator[CheckedComponent]:
    """Run all checks on every component of a plugin, and yield the results one by one.

    Args:
        plugin: a namespace, a component's name, or the path of a plugin's file.
        files: more plugin files in which to look up namespaces and names.

    Raises:
        UsageError: no such plugin or component.
        PluginError: the plugin is broken.
    """
    for subject in subjects_of(plugin, files):
        asked = left_out = 0
        failed = []
        for check in checks_for(subject.kind):
            try:
                with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # by NumPy, for unusual inputs
                    run_check(check, subject)
            except Blocked:
                left_out += 1
                continue
            except NotApplicable:
                continue
            except CheckFailure as failure:
                failed.append(FailedCheck(check.name, check.asks, str(failure)))
            asked += 1
        yield CheckedComponent(subject.name, subject.kind, not failed, asked, left_out, _root_first(failed))


ROOTS: Final = (
    "float32_stays_float32",
    "leaves_its_inputs_alone",
    "gradients_are_overwritten",
    "the_same_twice_gives_the_same_bits",
    "a_repeated_step_gives_the_same_bits",
)
"""Checks whose failure may make any check fail that runs the component; the most specific first."""


def _root_first(failed: list[FailedCheck]) -> tuple[FailedCheck, ...]:
    """Order failed checks: a root cause first, its possible consequences last."""
    names = [each.check for each in failed]
    root = next((failed[names.index(name)] for name in ROOTS if name in names), None)
    if root is None:
        return tuple(failed)
    runs = (
        check for check in all_checks() if check.each_example and check.function.__module__ != every_component.__name__
    )
    follow = {check.name for check in runs} - {root.check}
    independent = [each for each in failed if each is not root and each.check not in follow]
    return root, *independent, *(replace(each, may_follow=True) for each in failed if each.check in follow)


OPERATIONS: Final = ("layer", "loss")
"""The kinds that have gradients and describe themselves as operators."""


@dataclass(frozen=True)
class ExamplesReport:
    """The result of a comparison on a component's examples.

    Args:
        status: ``checked``; ``failed`` if something is wrong or can't be computed; ``unchecked`` without an example;
            ``refused`` if the component declares that it can't be exported; ``described`` for a data set that can.
        examples: the number of examples compared.
        detail: what is wrong or missing.
    """

    status: str
    examples: int = 0
    detail: str = ""


def gradient_report(entry: RegisteredComponent, registry: Registry) -> ExamplesReport | None:
    """Compare a component's gradients with differences, on each of its examples; None for kinds without gradients."""
    if entry.kind not in OPERATIONS:
        return None
    derivatives = ("input_gradient_is_the_derivative", "parameter_gradients_are_the_derivatives")
    return _report(ComponentUnderTest(entry, registry, None), derivatives)


def export_report(entry: RegisteredComponent, registry: Registry) -> ExamplesReport | None:
    """Compare the operators that a layer or a loss describes with its results; None for kinds that aren't exported.

    A data set's examples may be large, so only the existence of its encoder's description is checked.
    """
    component = entry.component
    if issubclass(component, Dataset):
        if component.onnx is not Dataset.onnx:
            return ExamplesReport("described")
        if component.encode is Dataset.encode:
            return ExamplesReport("described", detail="it has no encoder, so inputs are used unchanged.")
        return ExamplesReport("refused", detail="It has an encode, but no method onnx.")
    if entry.kind not in OPERATIONS:
        return None
    subject = ComponentUnderTest(entry, registry, None)
    report = _report(subject, ("onnx_describes_what_is_computed",))
    refusals = _refusals(subject) if report.status == "checked" else []
    return ExamplesReport("refused", detail=refusals[0]) if refusals else report


def _report(subject: ComponentUnderTest, names: tuple[str, ...]) -> ExamplesReport:
    """Run checks, after those that the examples can be built."""
    by_name = {check.name: check for check in checks_for(subject.kind)}
    for name in (*TO_BUILD, *names):
        try:
            with redirect_stdout(sys.stderr):  # standard output is for results, which may be JSON
                run_check(by_name[name], subject, TO_BUILD)
        except CheckFailure as failure:
            return ExamplesReport("failed" if name in names else "unchecked", detail=one_line(str(failure)))
    return ExamplesReport("checked", len(subject.examples))


def _refusals(subject: ComponentUnderTest) -> list[str]:
    """Return the reasons why examples can't be exported."""
    reasons = []
    for example in subject.examples:
        assert isinstance(example, OperationExample)
        try:
            example.graph(example.ready())
        except NotExportableError as error:
            reasons.append(str(error))
    return reasons


def _expected_failures(
    declared: Mapping[str, Mapping[str, str]], subjects: Sequence[ComponentUnderTest]
) -> dict[tuple[str, str], str]:
    """Return the reasons why checks are expected to fail, by the component's full name and the check's."""
    names = {subject.entry.declaration.name: subject for subject in subjects}
    names |= {subject.name: subject for subject in subjects}
    found = {}
    for name, reasons in declared.items():
        if name not in names:
            remedy = did_you_mean(name, names) or f"known: {', '.join(subject.name for subject in subjects)}"
            raise UsageError(f"expected_failures: no component '{name}' is checked; {remedy}")
        subject = names[name]
        known = {check.name for check in checks_for(subject.kind)}
        for check, reason in reasons.items():
            if check not in known:
                remedy = did_you_mean(check, known) or "docs/conformance.md lists them"
                raise UsageError(f"expected_failures: there is no check '{check}' for {name}; {remedy}")
            if not isinstance(reason, str) or not reason.strip():
                raise UsageError(f"expected_failures: {name} fails {check} without a reason; expected a sentence")
            found[subject.name, check] = reason
    return found


def conformance(
    plugin: str | Path | type[Component],
    *,
    expected_failures: Mapping[str, Mapping[str, str]] | None = None,
) -> Callable[..., None]:
    """Make a pytest test that runs every check on every component of a plugin, each as a separate test item.

    In a test file::

        from mlpkit.testing import conformance

        test_acme = conformance("acme")

    Args:
        plugin: the namespace of an installed plugin, the name of one of its components, the path of a plugin's file,
            or a component's class.
        expected_failures: the reason why a check is expected to fail, by the component's name and the check's. If the
            check passes, that is a failure.

    Raises:
        UsageError: there is no such plugin, component or check, or pytest is not installed.
        PluginError: the plugin is broken.
    """
    try:
        import pytest  # noqa: PLC0415 - mlpkit doesn't need it otherwise
    except ModuleNotFoundError as error:
        raise UsageError("conformance() needs pytest: pip install pytest, or use mlpkit check-plugin") from error

    subjects = subjects_of(plugin)
    expected = _expected_failures(expected_failures or {}, subjects)
    items = []
    for subject in subjects:
        for check in checks_for(subject.kind):
            why = expected.get((subject.name, check.name), "")
            marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
            items.append(pytest.param(subject, check, id=f"{subject.name}-{check.name}", marks=marks))

    def test_conformance(subject: ComponentUnderTest, check: Check) -> None:
        __tracebackhide__ = True
        try:
            run_check(check, subject)
        except NotApplicable as inapplicable:
            pytest.skip(str(inapplicable))
        except CheckFailure as failure:
            if failure.__cause__ is None:  # no line of the author's code to show
                pytest.fail(str(failure), pytrace=False)
            raise

    decorated: Any = pytest.mark.parametrize(("subject", "check"), items)(test_conformance)
    return decorated  # type: ignore[no-any-return]
