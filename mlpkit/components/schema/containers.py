"""Types of values that hold others: lists, tuples, mappings, alternatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpkit.components.schema.scalars import NothingType
from mlpkit.components.schema.value_type import INVALID, Checking, EnoughFaults, ValueType, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import SchemaReferences


@dataclass(frozen=True)
class ListType(ValueType):
    """A list of any length, its items of one type.

    Args:
        items: the type of every item.
        fewest: how many items there must be at least.
        as_tuple: whether the constructor wants a tuple.
    """

    items: ValueType
    fewest: int = 0
    as_tuple: bool = False

    def describe(self) -> str:
        """Say what is expected."""
        count = f" of at least {self.fewest}" if self.fewest else ""
        return f"a list{count}, each {self.items.describe()}"

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the list, every item checked."""
        if not isinstance(value, list | tuple):
            return checking.report(
                path, f"{show(value)} is not a list", expected=self.describe(), remedy="put it in [ ]"
            )
        if len(value) < self.fewest:
            return checking.report(path, f"the list has {len(value)} items", expected=self.describe())
        checked = self.check_items(value, path, checking)
        if any(item is INVALID for item in checked):
            return INVALID
        return tuple(checked) if self.as_tuple else checked

    def check_items(self, values: Sequence[object], path: Path, checking: Checking) -> list[Any]:
        """Return every item, checked or ``INVALID``."""
        return [self.items.check(item, (*path, i), checking) for i, item in enumerate(values)]

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        fewest = {"minItems": self.fewest} if self.fewest else {}
        return {"type": "array", "items": self.items.json_schema(references)} | fewest


@dataclass(frozen=True)
class TupleType(ValueType):
    """A list of a fixed length, each place with a type of its own."""

    items: tuple[ValueType, ...]

    def describe(self) -> str:
        """Say what is expected."""
        return f"a list of {len(self.items)}: " + ", ".join(item.describe() for item in self.items)

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the tuple, every item checked."""
        if not isinstance(value, list | tuple):
            return checking.report(path, f"{show(value)} is not a list", expected=self.describe())
        if len(value) != len(self.items):
            return checking.report(path, f"the list has {len(value)} items", expected=self.describe())
        checked = tuple(
            item_type.check(item, (*path, i), checking)
            for i, (item_type, item) in enumerate(zip(self.items, value, strict=True))
        )
        return INVALID if any(item is INVALID for item in checked) else checked

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {
            "type": "array",
            "prefixItems": [item.json_schema(references) for item in self.items],
            "minItems": len(self.items),
            "maxItems": len(self.items),
        }


@dataclass(frozen=True)
class MappingType(ValueType):
    """A mapping from strings to values of one type."""

    values: ValueType

    def describe(self) -> str:
        """Say what is expected."""
        return f"a mapping from names, each to {self.values.describe()}"

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the mapping, every value checked."""
        if not isinstance(value, dict):
            return checking.report(path, f"{show(value)} is not a mapping", expected=self.describe())
        for key in value:
            if not isinstance(key, str):
                return checking.report(path, f"the key {show(key)} is not a string", expected=self.describe())
        checked = {key: self.values.check(item, (*path, key), checking) for key, item in value.items()}
        return INVALID if any(item is INVALID for item in checked.values()) else checked

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"type": "object", "additionalProperties": self.values.json_schema(references)}


@dataclass(frozen=True)
class EitherType(ValueType):
    """Any one of several types; the first that takes the value wins."""

    alternatives: tuple[ValueType, ...]

    def describe(self) -> str:
        """Say what is expected."""
        return " or ".join(alternative.describe() for alternative in self._telling)

    @property
    def _telling(self) -> list[ValueType]:
        """The alternatives worth naming in a message: that nothing may be said goes without saying."""
        return [alternative for alternative in self.alternatives if not isinstance(alternative, NothingType)]

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the value as the first alternative that takes it sees it."""
        deepest: list[Checking] = []
        for alternative in self.alternatives:
            attempt = Checking(checking.resolve)
            try:
                checked = alternative.check(value, path, attempt)
            except EnoughFaults:
                checked = INVALID
            if checked is not INVALID:
                checking.warnings += attempt.warnings
                return checked
            only = self._telling == [alternative]
            if only or any(len(fault.path) > len(path) or fault.at_key for fault in attempt.faults):
                deepest.append(attempt)
        if len(deepest) == 1:  # the value has the form of just one alternative: its faults are the helpful ones
            checking.faults += deepest[0].faults
            return INVALID
        return checking.report(path, f"{show(value)} is not what is expected here", expected=self.describe())

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"anyOf": [alternative.json_schema(references) for alternative in self.alternatives]}
