"""What the layers of a list are called."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_NAME: Final = 200
"""Characters of a component's name, beyond which no text is one: a variable may repeat a long text many times."""


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
        return _layer_type(item), ""
    if isinstance(item, dict) and len(item) == 1:
        ((component, parameters),) = item.items()
        given = parameters.get("name") if isinstance(parameters, dict) else None
        return _layer_type(str(component)), given if isinstance(given, str) else ""
    return "", ""


def _layer_type(component: str) -> str:
    """Return a component's name without its namespace; nothing for a text that is far too long to be a name."""
    return component.rpartition(".")[2] if len(component) <= LONGEST_NAME else ""
