"""A component's state as plain data that JSON can hold, its arrays set apart, and back to the same bits.

JSON has neither arrays nor tuples, nor numbers that are not finite. They stand in mappings with a single key:

    {"!array": name}  {"!scalar": name}  {"!tuple": [...]}  {"!float": "inf"}

Long lists of numbers, such as the loss of each step, become arrays too, which take little room:

    {"!list": name}  {"!scalars": name}

A mapping of somebody's own that looks like one of these stands in ``{"!mapping": {...}}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MARK = "!"
_LONG = 100


def pack(value: Any, arrays: dict[str, NDArray[Any]], prefix: str) -> Any:
    """Return a value as plain data.

    Args:
        value: None, booleans, numbers, strings, arrays, and lists, tuples and mappings of them.
        arrays: takes the arrays, copied, under names of their own.
        prefix: what these names begin with.

    Raises:
        TypeError: the value holds something else.
    """
    name = f"{prefix}/{len(arrays)}"
    if isinstance(value, np.ndarray | np.generic):
        arrays[name] = np.array(value)
        return {"!array" if isinstance(value, np.ndarray) else "!scalar": name}
    if isinstance(value, float) and not math.isfinite(value):
        return {"!float": str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list) and len(value) > _LONG and (mark := _mark_of(value)):
        arrays[name] = np.array(value)
        return {mark: name}
    if isinstance(value, list):
        return [pack(item, arrays, prefix) for item in value]
    if isinstance(value, tuple):
        return {"!tuple": pack(list(value), arrays, prefix)}
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a mapping has a key that is not a string")
        packed = {key: pack(item, arrays, prefix) for key, item in value.items()}
        return {"!mapping": packed} if _is_marked(packed) else packed
    raise TypeError(f"{type(value).__name__} is no plain data")


def unpack(packed: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Return the value that ``pack`` was given.

    Args:
        packed: what ``pack`` returned, perhaps by way of JSON.
        arrays: the arrays.
    """
    if isinstance(packed, list):
        return [unpack(item, arrays) for item in packed]
    if not isinstance(packed, dict):
        return packed
    if not _is_marked(packed):
        return {key: unpack(item, arrays) for key, item in packed.items()}
    ((mark, content),) = packed.items()
    match mark:
        case "!array":
            return np.array(arrays[content])
        case "!scalar":
            return arrays[content][()]
        case "!tuple":
            return tuple(unpack(content, arrays))
        case "!list":
            return arrays[content].tolist()
        case "!scalars":
            return list(arrays[content])
        case "!float":
            return float(content)
        case _:
            return {key: unpack(item, arrays) for key, item in content.items()}


def _mark_of(values: list[Any]) -> str:
    """Return what marks a list that an array gives back to the bit; empty if none does."""
    types = {type(value) for value in values}
    if types == {float} or (types == {int} and min(values) >= -(2**63) and max(values) < 2**63):
        return "!list"
    return "!scalars" if len(types) == 1 and issubclass(types.pop(), np.generic) else ""


def _is_marked(mapping: dict[str, Any]) -> bool:
    return len(mapping) == 1 and next(iter(mapping)).startswith(_MARK)
