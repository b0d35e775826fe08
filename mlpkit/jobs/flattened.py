"""Nested plain data as one mapping, for comparing two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flattened(data: Any, prefix: str = "") -> dict[str, Any]:
    """Return the values of nested mappings and lists by dotted key; items of a list go by their number.

    What is empty has no values.

    Args:
        data: plain data.
        prefix: the key that leads to it.
    """
    if isinstance(data, Mapping):
        items = [(str(key), value) for key, value in data.items()]
    elif isinstance(data, list):
        items = [(str(number), value) for number, value in enumerate(data)]
    else:
        return {prefix: data}
    found: dict[str, Any] = {}
    for key, value in items:
        found |= flattened(value, f"{prefix}.{key}" if prefix else key)
    return found
