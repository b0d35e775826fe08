"""Types of single values: numbers, text, truth values, choices."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpkit.components.schema.suggestion import did_you_mean
from mlpkit.components.schema.value_type import ValueType, show

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import Checking, SchemaReferences


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
        """Whether ``value`` lies on the right side."""
        return COMPARISONS[self.keyword](value, self.limit)


def _with_bounds(noun: str, bounds: tuple[Bound, ...]) -> str:
    if not bounds:
        return noun
    return f"{noun}, " + " and ".join(f"{bound.words} {bound.limit:g}" for bound in bounds)


@dataclass(frozen=True)
class IntegerType(ValueType):
    """A whole number; ``true`` and ``"3"`` are none."""

    bounds: tuple[Bound, ...] = ()

    def describe(self) -> str:
        """Say what is expected."""
        return _with_bounds("an integer", self.bounds)

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the integer."""
        try:
            integer = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            integer = None
        if integer is None:
            remedy = "write it without quotes" if isinstance(value, str) and _is_integer(value) else ""
            if isinstance(value, float) and value.is_integer():
                remedy = f"write {int(value)}"
            return checking.report(path, f"{show(value)} is not an integer", expected=self.describe(), remedy=remedy)
        if not all(bound.holds(integer) for bound in self.bounds):
            return checking.report(path, f"{show(integer)} is out of range", expected=self.describe())
        return integer

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"type": "integer"} | {bound.keyword: bound.limit for bound in self.bounds}


@dataclass(frozen=True)
class NumberType(ValueType):
    """A finite number; an integer will do."""

    bounds: tuple[Bound, ...] = ()

    def describe(self) -> str:
        """Say what is expected."""
        return _with_bounds("a number", self.bounds)

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the number as a float."""
        if isinstance(value, bool | str) or not (hasattr(value, "__float__") or hasattr(value, "__index__")):
            remedy = "write it without quotes" if isinstance(value, str) and is_number(value) else ""
            return checking.report(path, f"{show(value)} is not a number", expected=self.describe(), remedy=remedy)
        try:
            number = float(value)  # type: ignore[arg-type]
        except (OverflowError, TypeError, ValueError):
            return checking.report(path, f"{show(value)} is not a number", expected=self.describe())
        if not math.isfinite(number):
            return checking.report(path, f"{show(number)} is not finite", expected=self.describe())
        if not all(bound.holds(number) for bound in self.bounds):
            return checking.report(path, f"{show(value)} is out of range", expected=self.describe())
        return number

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"type": "number"} | {bound.keyword: bound.limit for bound in self.bounds}


@dataclass(frozen=True)
class BooleanType(ValueType):
    """``true`` or ``false``; 0, 1, ``yes`` and ``no`` are neither."""

    def describe(self) -> str:
        """Say what is expected."""
        return "true or false"

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the truth value."""
        if isinstance(value, bool):
            return value
        words = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
        meant = words.get(str(value).lower()) if isinstance(value, str | int) else None
        remedy = f"did you mean {meant}?" if meant else ""
        return checking.report(path, f"{show(value)} is not true or false", expected=self.describe(), remedy=remedy)

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class TextType(ValueType):
    """A string."""

    def describe(self) -> str:
        """Say what is expected."""
        return "a string"

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the string."""
        if isinstance(value, str):
            return value
        remedy = "put it in quotes" if isinstance(value, int | float) else ""
        return checking.report(path, f"{show(value)} is not a string", expected=self.describe(), remedy=remedy)

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"type": "string"}


@dataclass(frozen=True)
class ChoiceType(ValueType):
    """One of a few literal values."""

    choices: tuple[object, ...]

    def describe(self) -> str:
        """Say what is expected."""
        shown = [choice if isinstance(choice, str) else show(choice) for choice in self.choices]
        return shown[0] if len(shown) == 1 else "one of " + ", ".join(shown)

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the value if it is one of the choices, of the same type."""
        for choice in self.choices:
            if type(choice) is type(value) and choice == value:
                return value
        words = [choice for choice in self.choices if isinstance(choice, str)]
        remedy = did_you_mean(value, words) if isinstance(value, str) else ""
        wanted = "one of the choices" if len(self.choices) > 1 else self.describe()
        return checking.report(path, f"{show(value)} is not {wanted}", expected=self.describe(), remedy=remedy)

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"enum": list(self.choices)}


@dataclass(frozen=True)
class NothingType(ValueType):
    """``null``."""

    def describe(self) -> str:
        """Say what is expected."""
        return "null"

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return None."""
        if value is None:
            return None
        return checking.report(path, f"{show(value)} is not null", expected=self.describe())

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"type": "null"}


@dataclass(frozen=True)
class AnyType(ValueType):
    """Whatever a spec can say."""

    def describe(self) -> str:
        """Say what is expected."""
        return "any value"

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the value."""
        return value

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {}


def _is_integer(text: str) -> bool:
    return text.strip().lstrip("+-").isdigit()


def is_number(text: str) -> bool:
    """Whether a text would be a finite number without its quotes."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
