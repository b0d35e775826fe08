"""Checking values: the base of all types of values, and the problems found so far."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple, TypeAlias, TypedDict, Unpack

from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.wording import certain
from mlpkit.deprecation import Deprecation
from mlpkit.errors import Code, ParameterError

MOST_PROBLEMS: Final = 100
"""Most problems that one check reports."""


class Correction(NamedTuple):
    """A wrong word, and the one that must have been meant; without an old one, the new one is put before it."""

    old: str | None
    new: str


def correction(word: str, names: Iterable[str]) -> Correction | None:
    """Return the correction of a misspelt word, if it is certain which name was meant."""
    meant = certain(word, names)
    return Correction(word, meant) if meant is not None else None


class Problem(NamedTuple):
    """One wrong value, or if it is ``at_key``, one wrong key."""

    path: KeyPath
    message: str
    expected: str = ""
    remedy: str = ""
    at_key: bool = False
    notes: tuple[str, ...] = ()
    code: Code = "wrong-value"
    fix: Correction | None = None

    def __str__(self) -> str:
        """Write the problem in one line, for callers without a file."""
        return str(self.as_error())

    def as_error(self, whole: str = "") -> ParameterError:
        """Return the error for a caller in Python, which names the parameter, or else the whole."""
        place = ".".join(str(part) for part in self.path) or whole
        return ParameterError(place, self.message, expected=self.expected, remedy=self.remedy)


class ProblemDetails(TypedDict, total=False):
    """What a problem tells besides its path and message; ``Diagnostic`` describes it."""

    expected: str
    remedy: str
    at_key: bool
    code: Code
    fix: Correction | None


class Invalid:
    """Returned by a check for a wrong value."""


INVALID = Invalid()


ReferenceResolver: TypeAlias = "Callable[[tuple[str, ...], object, KeyPath, CheckContext], Recipe[Any] | None]"
"""Turns a component of some kinds, by its name, or by a mapping from its name to its parameters, into a recipe.

Returns None after it has reported to the context what is wrong.
"""


class TooManyProblems(Exception):  # noqa: N818 - not an error itself: the faults are already reported
    """There are too many problems to continue."""


@dataclass
class CheckContext:
    """One pass over a structure: the faults and warnings so far, and what resolves names of components.

    Args:
        resolve: resolves references to components; None leaves them as they are, to be resolved later.
        folder_of: returns the folder that a relative path at a place starts from; None for the current folder.
        resolved: whether the structure was written with every default filled in, perhaps by an earlier version.
        files: takes the relative paths of files, as seen from the current folder, by their places.
    """

    resolve: ReferenceResolver | None = None
    folder_of: Callable[[KeyPath], FilePath | None] = lambda path: None
    resolved: bool = False
    files: dict[KeyPath, str] = field(default_factory=dict)
    faults: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def attempt(self) -> CheckContext:
        """Return a context for a check that may fail, without the problems found so far."""
        return CheckContext(self.resolve, self.folder_of, self.resolved, self.files)

    def aside(self) -> CheckContext:
        """Return a context for a check of what isn't in the spec; it names no files."""
        return replace(self.attempt(), files={})

    def report(self, path: KeyPath, message: str, **details: Unpack[ProblemDetails]) -> Invalid:
        """Record a problem, and return ``INVALID`` in place of the value.

        Raises:
            TooManyProblems: there are ``MOST_PROBLEMS`` now.
        """
        self.faults.append(Problem(path, message, **details))
        if len(self.faults) >= MOST_PROBLEMS:
            raise TooManyProblems
        return INVALID

    def warn_of(self, deprecation: Deprecation, subject: str, path: KeyPath, **details: Unpack[ProblemDetails]) -> None:
        """Record that something deprecated is used."""
        details = {"remedy": deprecation.instead, "code": "deprecated", **details}
        self.warnings.append(Problem(path, deprecation.about(subject), **details))


@dataclass(frozen=True)
class ValueType(ABC):
    """The type of a parameter's value; types with the same fields are equal."""

    @abstractmethod
    def describe(self) -> str:
        """Describe in a few words what is expected, as in ``an integer, at least 1``."""

    @abstractmethod
    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the checked value, converted where that loses nothing, or ``INVALID``."""

    def refuse(
        self, value: object, reason: str, path: KeyPath, context: CheckContext, **details: Unpack[ProblemDetails]
    ) -> Invalid:
        """Report why a value is wrong, as in ``is not a list``, and what was expected."""
        details = {"expected": self.describe(), "code": "wrong-type", **details}
        return context.report(path, f"{show(value)} {reason}", **details)


def show(value: object) -> str:
    """Write a value as a spec would, shortened, with its type where that is in doubt."""
    longest = 40
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value if len(value) <= longest else value[:longest] + "...")
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= longest else text[:longest] + "..."
