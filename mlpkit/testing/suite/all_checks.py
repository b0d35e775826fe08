"""Collects the checks in the folder ``checks``, and runs them on components."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from mlpkit.testing.suite import checks
from mlpkit.testing.suite.check import Blocked, Check, CheckFailure, NotApplicable, check_of, described
from mlpkit.testing.suite.example import Example
from mlpkit.testing.suite.plugin_under_test import ComponentUnderTest


@cache
def all_checks() -> tuple[Check, ...]:
    """Return every check, in the order of folders, files and lines, with prerequisites first."""
    collected: dict[str, Check] = {}
    for module in pkgutil.walk_packages(checks.__path__, f"{checks.__name__}."):
        for member in vars(import_module(module.name)).values():
            check = check_of(member)
            if check is not None:
                collected[check.name] = check
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
