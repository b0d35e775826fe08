"""The types of plain values: scalars, lists, tuples, mappings, and alternatives."""

from __future__ import annotations

import math
import operator
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, NamedTuple, TypeAlias

from mlpkit.components.schema.context import (
    INVALID,
    CheckContext,
    TooManyProblems,
    ValueType,
    correction,
    show,
)
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.components.schema.wording import counted, did_you_mean

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "minimum": operator.ge,
    "exclusiveMinimum": operator.gt,
    "maximum": operator.le,
    "exclusiveMaximum": operator.lt,
}
"""What each keyword of JSON Schema compares by."""


class Bound(NamedTuple):
    """One end of a range, as in ``at least 1``."""

    words: str
    keyword: str
    limit: float

    def holds(self, value: float) -> bool:
        """Whether ``value`` is on the right side."""
        return COMPARISONS[self.keyword](value, self.limit)


class ScalarType(ValueType):
    """A plain value.

    Attributes:
        words: what a value is called, as in ``true or false``.
        expected: what is expected, if the words don't tell.
    """

    words: ClassVar[str]
    expected: ClassVar[str] = ""

    def describe(self) -> str:
        """Describe what is expected."""
        return self.expected or self.words

    def _refuse(self, value: object, path: KeyPath, context: CheckContext, remedy: str = "") -> object:
        return self.refuse(value, f"is not {self.words}", path, context, remedy=remedy)


@dataclass(frozen=True)
class BoundedType(ScalarType):
    """A number in a range, given by its ends."""

    bounds: tuple[Bound, ...] = ()

    def describe(self) -> str:
        """Describe what is expected."""
        ends = " and ".join(f"{bound.words} {bound.limit:g}" for bound in self.bounds)
        return f"{self.words}, {ends}" if ends else self.words

    def holds(self, number: float) -> bool:
        """Whether a number is in the range."""
        return all(bound.holds(number) for bound in self.bounds)


class IntegerType(BoundedType):
    """A whole number; ``true`` and ``"3"`` are refused."""

    words = "an integer"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the integer."""
        try:
            integer = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            integer = None
        if integer is None:
            if isinstance(value, float) and value.is_integer():
                return self._refuse(value, path, context, f"write {int(value)}")
            if isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
                return self._refuse(value, path, context, "write it without quotes")
            return self._refuse(value, path, context)
        if self.holds(integer):
            return integer
        return self.refuse(integer, "is out of range", path, context, code="out-of-range")


class NumberType(BoundedType):
    """A finite number, or an integer."""

    words = "a number"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the number as a float."""
        plain = not isinstance(value, bool | str) and not getattr(value, "ndim", 0)
        if not (plain and (hasattr(value, "__float__") or hasattr(value, "__index__"))):
            if isinstance(value, str) and is_number(value):
                return self._refuse(value, path, context, "write it without quotes")
            return self._refuse(value, path, context)
        try:
            number = float(value)  # type: ignore[arg-type]
        except (OverflowError, TypeError, ValueError):
            return self._refuse(value, path, context)
        if not math.isfinite(number):
            return self.refuse(number, "is not finite", path, context, code="out-of-range")
        if self.holds(number):
            return number
        is_percentage = number >= 10 and self.holds(number / 100) and any(bound.limit == 1 for bound in self.bounds)
        remedy = f"for {number:g} %, write {number / 100:g}" if is_percentage else ""
        return self.refuse(value, "is out of range", path, context, code="out-of-range", remedy=remedy)


class BooleanType(ScalarType):
    """``true`` or ``false``; 0, 1, ``yes`` and ``no`` are neither."""

    words = "true or false"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the truth value."""
        if isinstance(value, bool):
            return value
        words = dict.fromkeys(("true", "yes", "on", "1"), "true") | dict.fromkeys(("false", "no", "off", "0"), "false")
        meant = words.get(str(value).lower()) if isinstance(value, str | int) else None
        remedy = f"did you mean {meant}?" if meant else ""
        return self._refuse(value, path, context, remedy)


class BegunPath(str):
    """The name of a file that a variable begins, as in ``$folder/train.csv``; no other value may be written so."""

    def refuse(self, kind: ValueType, path: KeyPath, context: CheckContext) -> object:
        """Report that a value of this type isn't the name of a file."""
        message = "a variable begins this value, which isn't the name of a file"
        return context.report(path, message, expected=f"{kind.describe()}, or a variable as the whole value")


class TextType(ScalarType):
    """A string; editors compare it with a pattern, if there is one."""

    words = "a string"
    pattern: ClassVar[str] = ""

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the string."""
        if isinstance(value, BegunPath):
            return value.refuse(self, path, context)
        if isinstance(value, str):
            return value
        if isinstance(value, int | float):
            return self._refuse(value, path, context, "put it in quotes")
        return self._refuse(value, path, context)


class NullType(ScalarType):
    """``null``."""

    words = "null"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return None."""
        return None if value is None else self._refuse(value, path, context)


class AnyType(ScalarType):
    """Any value that a spec can give."""

    words = "any value"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the value."""
        return value


_ELSEWHERE: Final = re.compile(r"~|[A-Za-z][A-Za-z0-9+.-]+:")
"""The start of a path that doesn't depend on the spec's folder: the user's home, or a prefix such as ``example:``."""


class PathType(TextType):
    """A path; in a spec, a relative one starts from the folder of the file that it is written in."""

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the path, as seen from the current folder."""
        whole = str(value) if isinstance(value, BegunPath) else value
        text, folder = super().check(whole, path, context), context.folder_of(path)
        if not isinstance(text, str) or _ELSEWHERE.match(text):
            return text
        found = (folder or Path()) / text
        context.files[path] = str(found)
        if folder is None:
            return text
        if not _exists(found) and _exists(Path(text)):
            here = os.path.relpath(text, folder)
            message = f"there is no {show(str(found))}; paths are relative to the spec's folder"
            return context.report(path, message, remedy=f"write {here}")
        return str(_seen_from_here(found)) if folder != Path() else text


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _seen_from_here(path: Path) -> Path:
    """Return a path relative to the current folder, if it is below it, and without ``..`` after a folder's name.

    So it doesn't depend on the spec's folder. What comes before ``..`` may be a link to elsewhere: then both stay.
    """
    short = Path(os.path.normpath(path))
    path = short if os.path.realpath(short) == os.path.realpath(path) else path
    return path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path


FilePath: TypeAlias = Annotated[str, PathType()]
"""A parameter that takes a path, which the constructor gets as seen from the current folder."""


class ColumnNameType(TextType):
    """The name of a column of the table that a data set reads."""


ColumnName: TypeAlias = Annotated[str, ColumnNameType()]
"""A parameter of a data set that takes the name of a column, which editors complete."""


@dataclass(frozen=True)
class ChoiceType(ValueType):
    """One of a few literal values."""

    choices: tuple[object, ...]

    def describe(self) -> str:
        """Describe what is expected."""
        shown = [choice if isinstance(choice, str) else show(choice) for choice in self.choices]
        return shown[0] if len(shown) == 1 else "one of " + ", ".join(shown)

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the value if it is one of the choices, of the same type."""
        for choice in self.choices:
            if type(choice) is type(value) and choice == value:
                return value
        words = [choice for choice in self.choices if isinstance(choice, str)]
        remedy, fix = (did_you_mean(value, words), correction(value, words)) if isinstance(value, str) else ("", None)
        wrong = "is not one of the choices" if len(self.choices) > 1 else "is not supported"
        return self.refuse(value, wrong, path, context, remedy=remedy, code="wrong-value", fix=fix)


def is_number(text: str) -> bool:
    """Whether a text would be a finite number without its quotes."""
    try:
        return math.isfinite(float(text)) and "_" not in text  # which Python allows
    except ValueError:
        return False


@dataclass(frozen=True)
class ListType(ValueType):
    """A list of at least the fewest items, all of one type; a tuple if the constructor wants one."""

    items: ValueType
    fewest: int = 0
    as_tuple: bool = False

    def describe(self) -> str:
        """Describe what is expected."""
        count = f" of at least {counted(self.fewest, 'item')}" if self.fewest else ""
        return f"a list{count}, each {self.items.describe()}"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the list, every item checked."""
        if not isinstance(value, list | tuple):
            return self.refuse(value, "is not a list", path, context, remedy="put it in [ ]")
        if len(value) < self.fewest:
            return context.report(path, f"the list has {counted(len(value), 'item')}", expected=self.describe())
        checked = self.check_items(value, path, context)
        if any(item is INVALID for item in checked):
            return INVALID
        return tuple(checked) if self.as_tuple else checked

    def check_items(self, values: Sequence[object], path: KeyPath, context: CheckContext) -> list[Any]:
        """Return every item, checked or ``INVALID``."""
        return [self.items.check(item, (*path, i), context) for i, item in enumerate(values)]


@dataclass(frozen=True)
class TupleType(ValueType):
    """A list of a fixed length, each place with its own type."""

    items: tuple[ValueType, ...]

    def describe(self) -> str:
        """Describe what is expected."""
        return f"a list of {counted(len(self.items), 'item')}: " + ", ".join(item.describe() for item in self.items)

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the tuple, every item checked."""
        if not isinstance(value, list | tuple):
            return self.refuse(value, "is not a list", path, context)
        if len(value) != len(self.items):
            return context.report(path, f"the list has {counted(len(value), 'item')}", expected=self.describe())
        both = enumerate(zip(self.items, value, strict=True))
        checked = tuple(item_type.check(item, (*path, i), context) for i, (item_type, item) in both)
        return INVALID if any(item is INVALID for item in checked) else checked


@dataclass(frozen=True)
class MappingType(ValueType):
    """A mapping from strings, of a type if they have one, to values of one type."""

    values: ValueType
    keys: TextType = TextType()  # noqa: RUF009 - it has no state

    def describe(self) -> str:
        """Describe what is expected."""
        return f"a mapping from names, each to {self.values.describe()}"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the mapping, every value checked."""
        if not isinstance(value, dict):
            return self.refuse(value, "is not a mapping", path, context)
        for key in value:
            if not isinstance(key, str):
                message = f"the key {show(key)} is not a string"
                return context.report(path, message, expected=self.describe(), code="wrong-type")
        checked = {key: self.values.check(item, (*path, key), context) for key, item in value.items()}
        return INVALID if any(item is INVALID for item in checked.values()) else checked


@dataclass(frozen=True)
class EitherType(ValueType):
    """Any one of several types; the first that takes the value wins."""

    alternatives: tuple[ValueType, ...]

    def describe(self) -> str:
        """Describe what is expected."""
        return " or ".join(alternative.describe() for alternative in self.without_null)

    @property
    def without_null(self) -> list[ValueType]:
        """The alternatives that messages name: all but null."""
        return [alternative for alternative in self.alternatives if not isinstance(alternative, NullType)]

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the value as the first alternative that takes it sees it."""
        if value is None and NullType() in self.alternatives:
            return None
        deepest: list[CheckContext] = []
        for alternative in self.alternatives:
            attempt = context.attempt()
            try:
                checked = alternative.check(value, path, attempt)
            except TooManyProblems:
                checked = INVALID
            if checked is not INVALID:
                context.warnings += attempt.warnings
                return checked
            only = self.without_null == [alternative]
            if only or any(len(fault.path) > len(path) or fault.at_key for fault in attempt.faults):
                deepest.append(attempt)
        if len(deepest) == 1:  # the value has the form of just one alternative: its faults are the helpful ones
            context.faults += deepest[0].faults
            return INVALID
        if isinstance(value, BegunPath):
            return value.refuse(self, path, context)
        return self.refuse(value, "isn't allowed here", path, context, code="wrong-value")


def without_null(kind: ValueType) -> ValueType:
    """Return the type of a value that may be left out; any other type unchanged."""
    rest = kind.without_null if isinstance(kind, EitherType) else []
    return rest[0] if len(rest) == 1 else kind
