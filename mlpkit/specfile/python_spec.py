"""A spec that is a mapping in Python: its values become nodes that know their keys."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from mlpkit.components.component import Component
from mlpkit.components.schema.context import show
from mlpkit.errors import WrongUseError
from mlpkit.specfile.nodes import Entry, ListNode, MappingNode, ScalarNode, ValueOrigin
from mlpkit.specfile.source import (
    DEEPEST_NESTING,
    MOST_DIGITS,
    MOST_VALUES,
    REFUSED,
    SourceText,
    Span,
    describe_character,
)
from mlpkit.specfile.variables import escape

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit.components.recipe import KeyPath
    from mlpkit.specfile.nodes import Node, Scalar
    from mlpkit.specfile.source import DiagnosticList


def node_of_spec(
    spec: Mapping[str, Any], faults: DiagnosticList, written: Callable[[Any], object] | None = None
) -> MappingNode | None:
    """Return a spec as a tree, or None after reporting what a spec can't hold.

    Texts mean what they would in a file: ``$name`` is a variable.

    Args:
        spec: what the file would say.
        faults: takes what is wrong.
        written: what stands for a component that was built in Python; without it there can't be any.
    """
    reading = _Reading(faults, written)
    root = reading.node(spec, ())
    return root if isinstance(root, MappingNode) and not reading.wrong else None


def dotted(path: KeyPath) -> str:
    """Return the path of a key as Python's users read it, such as ``layers[0].Affine.units``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".") or "spec"


def scalar_of(value: object) -> Scalar:
    """Return a value that is no list or mapping as a spec would write it, dollars escaped.

    Raises:
        ValueError: a spec can't hold it.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | os.PathLike):
        return escape(text_of(value))
    if isinstance(value, Integral):
        integer = int(value)
        if abs(integer) >= 10**MOST_DIGITS:
            msg = f"an integer of more than {MOST_DIGITS} digits is too long"
            raise ValueError(msg)
        return integer
    if isinstance(value, Real):
        number = float(value)
        if not math.isfinite(number):
            msg = f"{number} is not finite"
            raise ValueError(msg)
        return number
    msg = f"a value of type {type(value).__name__} can't stand in a spec"
    raise ValueError(msg)


def text_of(value: str | os.PathLike[str]) -> str:
    """Return a text, or a path as text.

    Raises:
        ValueError: it has a character that a spec can't hold.
    """
    text = os.fsdecode(value)
    refused = REFUSED.search(text)
    if refused:
        msg = f"a string can't hold the character {describe_character(refused[0])}"
        raise ValueError(msg)
    return text


class _Reading:
    """The conversion of one spec, and how many values it is made of."""

    def __init__(self, faults: DiagnosticList, written: Callable[[Any], object] | None) -> None:
        self.faults = faults
        self.written = written
        self.values = 0
        self.wrong = False

    def node(self, value: Any, path: KeyPath) -> Node | None:
        """Return a value as a node, or None after reporting what is wrong."""
        self.values += 1
        if self.values > MOST_VALUES:
            return self._report(path, f"a spec can't hold more than {MOST_VALUES:,} values")
        if len(path) >= DEEPEST_NESTING:
            return self._report(path, f"lists and mappings lie more than {DEEPEST_NESTING} deep inside one another")
        if isinstance(value, Component) and self.written is not None:
            return self._component(value, path)
        if isinstance(value, Mapping):
            return self._mapping(value, path)
        if isinstance(value, list | tuple):
            items = [self.node(item, (*path, i)) for i, item in enumerate(value)]
            return ListNode([item for item in items if item is not None], _origin(path))
        try:
            text = isinstance(value, str | os.PathLike)
            scalar = text_of(value) if text else scalar_of(value)
        except ValueError as error:
            return self._report(path, str(error))
        return ScalarNode(scalar, _origin(path))

    def _component(self, value: Component, path: KeyPath) -> Node | None:
        assert self.written is not None
        try:
            return self.node(self.written(value), path)
        except WrongUseError as error:
            return self._report(path, error.message, expected=error.expected, remedy=error.remedy)

    def _mapping(self, value: Mapping[Any, Any], path: KeyPath) -> Node | None:
        entries = {}
        for key, item in value.items():
            try:
                name = text_of(key) if isinstance(key, str) else None
            except ValueError as error:
                self._report(path, str(error))
                continue
            if name is None:
                self._report(path, f"the key {show(key)} is not a string")
                continue
            node = self.node(item, (*path, name))
            if node is not None:
                entries[name] = Entry(_origin((*path, name)), node)
        return MappingNode(entries, _origin(path))

    def _report(self, path: KeyPath, message: str, *, expected: str = "", remedy: str = "") -> Node | None:
        self.wrong = True
        self.faults.report(_origin(path).place, message, expected=expected, remedy=remedy)
        return None


def _origin(path: KeyPath) -> ValueOrigin:
    return ValueOrigin(Span(SourceText(dotted(path), "", key_only=True), 0, 0))
