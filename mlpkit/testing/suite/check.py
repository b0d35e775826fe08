"""Checks, and the errors that they raise."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from mlpkit.array import Array
from mlpkit.errors import MlpkitError
from mlpkit.network.component_errors import named


class CheckFailure(MlpkitError, AssertionError):  # noqa: N818 - reads better in a test's report
    """A component doesn't conform to its kind.

    Args:
        happened: what the component did.
        expected: what was expected instead.
        remedy: what to do.
    """

    def __init__(self, happened: str, *, expected: str, remedy: str = "") -> None:
        self.happened = happened
        self.expected = expected
        self.remedy = remedy
        super().__init__(f"{happened}; expected {expected}" + (f"; {remedy}" if remedy else ""))


class NotApplicable(Exception):  # noqa: N818 - not an error: there is nothing to check
    """A check doesn't apply to a component; the message is the reason."""


class Blocked(NotApplicable):
    """A check is blocked by an earlier check that failed."""

    def __init__(self, earlier: str) -> None:
        super().__init__(f"there is nothing to check until {earlier} passes")


def described(error: Exception) -> str:
    """Describe an exception and, unless mlpkit raised it on purpose, where it was raised."""
    cause = error.__cause__ if isinstance(error, MlpkitError) else error
    text = str(error) if isinstance(error, MlpkitError) else named(error)
    if cause is None or isinstance(cause, MlpkitError):
        return text
    last = traceback.extract_tb(cause.__traceback__)[-1]
    return f"{text} (at {last.filename}:{last.lineno})"


@contextmanager
def failing_with(
    happened: str, *, expected: str, remedy: str = "", except_for: type[Exception] = NotApplicable
) -> Iterator[None]:
    """Turn an exception that ends the block, except for some, into a ``CheckFailure`` that begins with ``happened``."""
    try:
        yield
    except (CheckFailure, NotApplicable, except_for):
        raise
    except Exception as error:
        raise CheckFailure(f"{happened} {described(error)}", expected=expected, remedy=remedy) from error


@contextmanager
def unchanged(method: str, arrays: Mapping[str, Array], remedy: str = "write into a new array") -> Iterator[None]:
    """Check that a method, which the block calls, doesn't write into some arrays, by name."""
    before = {what: array.tobytes() for what, array in arrays.items()}
    yield
    for what, array in arrays.items():
        if array.tobytes() != before[what]:
            raise CheckFailure(f"{method} wrote into {what}", expected=f"{what} to be unchanged", remedy=remedy)


F = TypeVar("F", bound="Callable[[Any], None]")

_MARK = "_mlpkit_check"


@dataclass(frozen=True)
class Check:
    """A check: one question about a component.

    Args:
        name: the function's name.
        kinds: the kinds of component to check.
        each_example: whether it runs on each example of a component, or once per component.
        says_why_unusable: whether it also runs on unusable components, since it may show the reason.
        function: raises ``CheckFailure`` if the answer is no.
    """

    name: str
    kinds: tuple[str, ...]
    each_example: bool
    says_why_unusable: bool
    function: Callable[[Any], None]

    @property
    def asks(self) -> str:
        """The question, as a sentence."""
        return " ".join(inspect.cleandoc(self.function.__doc__ or "").partition("\n\n")[0].split())

    @property
    def why(self) -> str:
        """The reason why the check matters."""
        return " ".join(inspect.cleandoc(self.function.__doc__ or "").partition("\n\n")[2].split())


def checks_component(*kinds: str, says_why_unusable: bool = False) -> Callable[[F], F]:
    """Mark a function as a check of a component as a whole."""
    return _marked(kinds, each_example=False, says_why_unusable=says_why_unusable)


def checks_examples(*kinds: str, says_why_unusable: bool = False) -> Callable[[F], F]:
    """Mark a function as a check of every example of a component; the arguments are those of ``checks_component``."""
    return _marked(kinds, each_example=True, says_why_unusable=says_why_unusable)


def check_of(function: object) -> Check | None:
    """Return the check of a marked function, or None for anything else."""
    check: Check | None = vars(function).get(_MARK) if inspect.isfunction(function) else None
    return check


def _marked(kinds: tuple[str, ...], *, each_example: bool, says_why_unusable: bool) -> Callable[[F], F]:
    def mark(function: F) -> F:
        setattr(function, _MARK, Check(function.__name__, kinds, each_example, says_why_unusable, function))
        return function

    return mark
