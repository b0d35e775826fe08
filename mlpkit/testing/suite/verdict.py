"""Asking a component one check, and what came of it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from mlpkit.errors import MlpkitError
from mlpkit.testing.suite.all_checks import checks_for
from mlpkit.testing.suite.nonconformity import Nonconformity, NotApplicable

if TYPE_CHECKING:
    from mlpkit.testing.suite.check import Check
    from mlpkit.testing.suite.examples.example import Example
    from mlpkit.testing.suite.subject import Subject

PREREQUISITES = ("can_be_loaded", "has_examples", "examples_can_be_built")
"""Checks without which the others can't be asked: where one fails, the others are left out."""


def ask(check: Check, subject: Subject) -> None:
    """Ask a component one check.

    Raises:
        Nonconformity: the component doesn't conform.
        NotApplicable: the check can't be made.
    """
    if check.name not in PREREQUISITES:
        _expect_prerequisites(subject)
    if not check.each_example:
        _ask(check, subject, subject, "")
        return
    for example in subject.examples:
        _ask(check, subject, example, example.title())


def _ask(check: Check, subject: Subject, whom: Subject | Example, where: str) -> None:
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
            remedy=f"the check asks: {check.asks}",
        ) from error


def _expect_prerequisites(subject: Subject) -> None:
    for check in checks_for(subject.kind):
        if check.name in PREREQUISITES and not _passes(check, subject):
            raise NotApplicable(f"there is nothing to check until {check.name} passes")


def _passes(check: Check, subject: Subject) -> bool:
    known = subject.answers
    if check.name not in known:
        try:
            ask(check, subject)
        except Nonconformity:
            known[check.name] = False
        else:
            known[check.name] = True
    return known[check.name]


def _described(error: Exception) -> str:
    """Say what was raised and, if it was not by mlpkit on purpose, where."""
    cause: Any = error.__cause__ if isinstance(error, MlpkitError) and error.__cause__ else error
    frames = traceback.extract_tb(cause.__traceback__)
    text = str(error) if isinstance(error, MlpkitError) else f"{type(error).__name__}: {error}"
    return f"{text} (at {frames[-1].filename}:{frames[-1].lineno})" if frames else text
