"""Default names of layers: type and ordinal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def default_names(type_names: Iterable[str]) -> list[str]:
    """Return ``Affine1``, ``Relu1``, ``Affine2`` for the types ``Affine``, ``Relu``, ``Affine``."""
    count: dict[str, int] = {}
    names = []
    for type_name in type_names:
        count[type_name] = count.get(type_name, 0) + 1
        names.append(f"{type_name}{count[type_name]}")
    return names
