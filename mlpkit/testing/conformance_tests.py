"""The conformance suite as pytest tests, with expected failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import UsageError
from mlpkit.testing.suite.all_checks import checks_for, run_check
from mlpkit.testing.suite.check import CheckFailure, NotApplicable
from mlpkit.testing.suite.plugin_under_test import subjects_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from mlpkit.components.component import Component
    from mlpkit.testing.suite.check import Check
    from mlpkit.testing.suite.plugin_under_test import ComponentUnderTest


class ExpectedFailures:
    """The reasons why checks of components are expected to fail.

    Args:
        declared: the reasons, by a component's name, with or without its namespace, and a check's name.
        subjects: the components to check.

    Raises:
        UsageError: there is no such component or check, or a reason is missing.
    """

    def __init__(self, declared: Mapping[str, Mapping[str, str]], subjects: Sequence[ComponentUnderTest]) -> None:
        self._reasons: dict[tuple[str, str], str] = {}
        names = {subject.entry.declaration.name: subject for subject in subjects}
        names |= {subject.name: subject for subject in subjects}
        for name, reasons in declared.items():
            if name not in names:
                remedy = did_you_mean(name, names) or f"known: {', '.join(subject.name for subject in subjects)}"
                raise UsageError(f"expected_failures: no component '{name}' is checked; {remedy}")
            subject = names[name]
            checks = {check.name for check in checks_for(subject.kind)}
            for check, reason in reasons.items():
                if check not in checks:
                    remedy = did_you_mean(check, checks) or "docs/conformance.md lists them"
                    raise UsageError(f"expected_failures: there is no check '{check}' for {name}; {remedy}")
                if not isinstance(reason, str) or not reason.strip():
                    raise UsageError(f"expected_failures: {name} fails {check} without a reason; expected a sentence")
                self._reasons[subject.name, check] = reason

    def __call__(self, check: Check, subject: ComponentUnderTest) -> str:
        """Return the reason why a check is expected to fail; empty if it should pass."""
        return self._reasons.get((subject.name, check.name), "")


def conformance(
    plugin: str | Path | ModuleType | type[Component],
    *,
    expected_failures: Mapping[str, Mapping[str, str]] | None = None,
) -> Callable[..., None]:
    """Make a pytest test that runs every check on every component of a plugin, each as a separate test item.

    In a test file::

        from mlpkit.testing import conformance

        test_acme = conformance("acme")

    Args:
        plugin: the namespace of an installed plugin, the name of one of its components, the path of a plugin's file,
            a module with the hook, or a component's class.
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
    reason = ExpectedFailures(expected_failures or {}, subjects)
    items = []
    for subject in subjects:
        for check in checks_for(subject.kind):
            why = reason(check, subject)
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
