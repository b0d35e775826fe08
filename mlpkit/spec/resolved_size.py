"""Whether a spec, once every default is filled in, is one that can be read again, as resuming and a model file need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlpkit.components.schema.fault import Fault
from mlpkit.spec.limits import DEEPEST_NESTING, MOST_VALUES

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Size(NamedTuple):
    values: int
    depth: int


def size_fault(resolved: Mapping[str, Any]) -> Fault | None:
    """Return what is wrong with the size of a resolved spec, or None.

    Args:
        resolved: the spec as plain data; its values have keys that the spec as written has too.
    """
    sizes = {key: _size(value) for key, value in resolved.items()}
    largest = max(sizes, key=lambda key: sizes[key].values)
    if 1 + sum(size.values for size in sizes.values()) > MOST_VALUES:
        message = f"with every default filled in, the spec holds more than {MOST_VALUES:,} values"
        return Fault((largest,), message, remedy="write fewer layers, or one that repeats others", at_key=True)
    deepest = max(sizes, key=lambda key: sizes[key].depth)
    if 1 + sizes[deepest].depth > DEEPEST_NESTING:
        deep = f"lists and mappings lie more than {DEEPEST_NESTING} deep inside one another"
        return Fault((deepest,), f"with every default filled in, {deep}", at_key=True)
    return None


def _size(value: Any) -> _Size:
    """Return how many values a value is made of, itself included, and how deep lists and mappings lie in it."""
    if not isinstance(value, dict | list | tuple):
        return _Size(1, 0)
    inside = [_size(item) for item in (value.values() if isinstance(value, dict) else value)]
    return _Size(1 + sum(size.values for size in inside), 1 + max((size.depth for size in inside), default=0))
