"""Runs the conformance checks on every component of a plugin, or those of one component's gradients."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mlpkit.registry.error_summary import one_line
from mlpkit.testing.suite.all_checks import TO_BUILD, checks_for, run_check
from mlpkit.testing.suite.check import Blocked, CheckFailure, NotApplicable
from mlpkit.testing.suite.plugin_under_test import ComponentUnderTest, subjects_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlpkit.registry.registry import RegisteredComponent, Registry


@dataclass(frozen=True)
class FailedCheck:
    """A check that a component did not pass.

    Args:
        check: the check's name.
        asks: the question that it asks.
        reason: what happened, what was expected, what to do.
    """

    check: str
    asks: str
    reason: str


@dataclass(frozen=True)
class CheckedComponent:
    """The results of a component's checks.

    Args:
        name: its name in specs.
        kind: its kind.
        passed: whether no check failed.
        checks: how many were run.
        left_out: how many were blocked by one that failed.
        failed: those that failed.
    """

    name: str
    kind: str
    passed: bool
    checks: int
    left_out: int
    failed: tuple[FailedCheck, ...]


def check_plugin(plugin: str, files: Sequence[str] = ()) -> Iterator[CheckedComponent]:
    """Run all checks on every component of a plugin, and yield the verdicts one by one.

    Args:
        plugin: a namespace, a component's name, or the path of a plugin's file.
        files: paths of plugins' files in which namespaces and names are looked up too.

    Raises:
        UsageError: there is no such plugin or component.
        PluginError: the plugin is broken.
    """
    for subject in subjects_of(plugin, files):
        asked = left_out = 0
        failed = []
        for check in checks_for(subject.kind):
            try:
                run_check(check, subject)
            except Blocked:
                left_out += 1
                continue
            except NotApplicable:
                continue
            except CheckFailure as found:
                failed.append(FailedCheck(check.name, check.asks, str(found)))
            asked += 1
        yield CheckedComponent(subject.name, subject.kind, not failed, asked, left_out, tuple(failed))


DIFFERENTIATED: Final = ("layer", "loss")
"""The kinds that have gradients."""

DERIVATIVES: Final = ("input_gradient_is_the_derivative", "parameter_gradients_are_the_derivatives")
"""The checks of the conformance suite that compare ``backward`` with differences of ``forward``."""


@dataclass(frozen=True)
class GradientReport:
    """What a comparison of ``backward`` with differences of ``forward`` says.

    Args:
        status: ``checked``; ``failed`` if a gradient is wrong, or can't be computed; ``unchecked`` if there is no
            example.
        examples: how many examples were compared.
        detail: what is wrong or missing.
    """

    status: str
    examples: int = 0
    detail: str = ""


def gradient_report(entry: RegisteredComponent, registry: Registry) -> GradientReport | None:
    """Compare the gradients of a component with differences, on each of its examples; None if it has no gradients.

    Args:
        entry: the component.
        registry: builds components that an example names.
    """
    if entry.kind not in DIFFERENTIATED:
        return None
    subject = ComponentUnderTest(entry, registry, None)
    checks = {check.name: check for check in checks_for(entry.kind)}
    for name in (*TO_BUILD, *DERIVATIVES):
        try:
            with redirect_stdout(sys.stderr):  # standard output is for results, which may be JSON
                run_check(checks[name], subject, TO_BUILD)
        except CheckFailure as found:
            return GradientReport("failed" if name in DERIVATIVES else "unchecked", detail=one_line(str(found)))
    return GradientReport("checked", len(subject.examples))
