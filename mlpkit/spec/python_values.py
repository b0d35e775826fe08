"""Python values as values of a spec."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING

from mlpkit.spec.characters import REFUSED, describe_character
from mlpkit.spec.limits import DEEPEST_NESTING, MOST_DIGITS, MOST_VALUES
from mlpkit.spec.nodes import Entry, ListNode, MappingNode, Origin, ScalarNode
from mlpkit.spec.variables import escape

if TYPE_CHECKING:
    from mlpkit.spec.faults import FaultList
    from mlpkit.spec.nodes import Node, Scalar
    from mlpkit.spec.source import Place


def node_of_value(value: object, place: Place, faults: FaultList) -> Node | None:
    """Return a value as a tree, or None after reporting why a spec can't hold it.

    Dollars in strings stay dollars: a value from Python is taken as it is.

    Args:
        value: None, a truth value, number, string, path, list, tuple or mapping of such.
        place: what the value's parts point to.
        faults: takes what is wrong.
    """
    try:
        return _Conversion(Origin(place)).node(value, 1)
    except ValueError as error:
        faults.report(place, str(error))
        return None


def text_of_value(value: object) -> str:
    """Return a value as it would stand in a spec, in one line and shortened."""
    if isinstance(value, str | os.PathLike):
        text = str(value)
    else:
        try:
            text = json.dumps(value, default=lambda part: type(part).__name__, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            text = type(value).__name__
    longest = 200
    line = " ".join(text.splitlines())
    return line if len(line) <= longest else line[:longest] + "..."


class _Conversion:
    """The conversion of one value, and how many it is made of."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.values = 0

    def node(self, value: object, depth: int) -> Node:
        self.values += 1
        if self.values > MOST_VALUES:
            msg = f"a spec can't hold more than {MOST_VALUES:,} values"
            raise ValueError(msg)
        if depth > DEEPEST_NESTING:
            msg = f"lists and mappings lie more than {DEEPEST_NESTING} deep inside one another"
            raise ValueError(msg)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple):
            return ListNode([self.node(item, depth + 1) for item in value], self.origin)
        return ScalarNode(_scalar(value), self.origin)

    def _mapping(self, value: Mapping[object, object], depth: int) -> Node:
        entries = {}
        for key, item in value.items():
            if not isinstance(key, str):
                msg = f"the key {key!r} is not a string"
                raise ValueError(msg)  # noqa: TRY004 - one kind of error for whatever a spec can't hold
            entries[_text(key)] = Entry(self.origin, self.node(item, depth + 1))
        return MappingNode(entries, self.origin)


def _scalar(value: object) -> Scalar:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | os.PathLike):
        return escape(_text(os.fsdecode(value)))
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


def _text(text: str) -> str:
    refused = REFUSED.search(text)
    if refused:
        msg = f"a string can't hold the character {describe_character(refused[0])}"
        raise ValueError(msg)
    return text
