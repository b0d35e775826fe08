"""Runs the conformance checks on every component of a plugin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlpkit.testing.suite.all_checks import checks_for, run_check
from mlpkit.testing.suite.check import Blocked, CheckFailure, NotApplicable
from mlpkit.testing.suite.plugin_under_test import subjects_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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
