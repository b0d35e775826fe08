"""Asking a component one check, and what came of it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from mlpkit.errors import MlpkitError
from mlpkit.testing.suite.all_checks import checks_for
from mlpkit.testing.suite.nonconformity import Nonconformity, NotApplicable

if TYPE_CHECKING:
    from mlpkit.testing.suite.check import Check
    from mlpkit.testing.suite.examples.example import Example
    from mlpkit.testing.suite.subject import Subject

PREREQUISITES = ("can_be_loaded", "has_examples", "examples_can_be_built")
"""Checks that come first, in this order: where one fails, all that come after it are left out."""


def ask(check: Check, subject: Subject) -> None:
    """Ask a component one check.

    Raises:
        Nonconformity: the component doesn't conform.
        NotApplicable: the check can't be made.
    """
    __tracebackhide__ = True
    _expect_prerequisites(check, subject)
    if not check.each_example:
        _ask(check, subject, subject, "")
        return
    for example in subject.examples:
        _ask(check, subject, example, example.title())


def _ask(check: Check, subject: Subject, whom: Subject | Example, where: str) -> None:
    __tracebackhide__ = True
    place = f" ({where})" if where else ""
    try:
        check.function(whom)
    except Nonconformity as found:
        raise Nonconformity(
            f"{subject.name}{place}: {found.happened}", expected=found.expected, remedy=found.remedy
        ) from found.__cause__
    except NotApplicable:
        raise
    except Exception as error:
        raise Nonconformity(
            f"{subject.name}{place}: it raised {_described(error)}",
            expected="no exception",
            remedy=f"the check asked: {check.asks}",
        ) from error


def _expect_prerequisites(check: Check, subject: Subject) -> None:
    for earlier in PREREQUISITES:
        if check.name == earlier:
            return
        if not _passes(earlier, subject):
            raise NotApplicable(f"there is nothing to check until {earlier} passes")


def _passes(name: str, subject: Subject) -> bool:
    if name not in subject.answers:
        (check,) = (check for check in checks_for(subject.kind) if check.name == name)
        try:
            ask(check, subject)
        except Nonconformity:
            subject.answers[name] = False
        else:
            subject.answers[name] = True
    return subject.answers[name]


def _described(error: Exception) -> str:
    """Say what was raised and, unless mlpkit raised it on purpose, where."""
    cause = error.__cause__ if isinstance(error, MlpkitError) else error
    text = str(error) if isinstance(error, MlpkitError) else f"{type(error).__name__}: {error}"
    if cause is None or isinstance(cause, MlpkitError):
        return text
    last = traceback.extract_tb(cause.__traceback__)[-1]
    return f"{text} (at {last.filename}:{last.lineno})"
