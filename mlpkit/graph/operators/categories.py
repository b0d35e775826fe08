"""Operators of the domain ``ai.onnx.ml``, on texts and categories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from mlpkit.array import Array

TYPES: Final = {"floats": np.float32, "int64s": np.int64, "strings": np.str_}
"""The types of keys and values, by the endings of attributes."""

DEFAULTS: Final = {
    "floats": ("default_float", -0.0),
    "int64s": ("default_int64", -1),
    "strings": ("default_string", "_Unused"),
}
"""The attribute with the value for elements that aren't keys, and its default."""


def label_encoder(x: Array, **attributes: Any) -> Array:
    """Replace each element, which is a key, by its value; other elements by a default.

    The keys are in the attribute ``keys_floats``, ``keys_int64s`` or ``keys_strings``, as many values in
    ``values_floats`` and so on, and the default in ``default_float``, ``default_int64`` or ``default_string``.
    """
    (of_keys,) = (each for each in TYPES if f"keys_{each}" in attributes)
    (of_values,) = (each for each in TYPES if f"values_{each}" in attributes)
    keys = np.array(attributes[f"keys_{of_keys}"], TYPES[of_keys]).tolist()
    values = attributes[f"values_{of_values}"]
    default = attributes.get(*DEFAULTS[of_values])
    value_of = {_lookup_key(key): value for key, value in zip(keys, values, strict=True)}
    encoded = [value_of.get(_lookup_key(element), default) for element in x.ravel().tolist()]
    return np.array(encoded, TYPES[of_values]).reshape(x.shape)


def _lookup_key(element: Any) -> Any:
    """Return the key for an element in a dictionary: the element itself, or None for NaN, which equals nothing."""
    return element if element == element else None  # noqa: PLR0124


CATEGORIES: Final[dict[str, Callable[..., Array]]] = {"LabelEncoder": label_encoder}
"""These operators, by name."""
