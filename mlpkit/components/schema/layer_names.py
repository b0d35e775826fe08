"""What the layers of a list are called."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def layer_names(items: Sequence[Any]) -> list[str]:
    """Return the name of each layer: its ``name`` if given, else its type and ordinal, such as ``Affine2``.

    The type is without namespace, and its ordinal counts all layers of that type, named or not. An item that
    is no component has an empty name.

    Args:
        items: the list of layers as plain data.
    """
    counts: Counter[str] = Counter()
    names = []
    for item in items:
        layer_type, given = _type_and_name(item)
        counts[layer_type] += 1
        names.append(given or (f"{layer_type}{counts[layer_type]}" if layer_type else ""))
    return names


def _type_and_name(item: object) -> tuple[str, str]:
    if isinstance(item, str):
        return item.rpartition(".")[2], ""
    if isinstance(item, dict) and len(item) == 1:
        ((component, parameters),) = item.items()
        given = parameters.get("name") if isinstance(parameters, dict) else None
        return str(component).rpartition(".")[2], given if isinstance(given, str) else ""
    return "", ""
