"""Operators of the domain ``ai.onnx.ml``, on texts and categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]

DEFAULTS: Final = {"floats": -0.0, "int64s": -1, "strings": "_Unused"}
"""What LabelEncoder makes of a key that isn't in its list, unless that is said, by the type of its values."""

VALUE_TYPES: Final = {"floats": np.float32, "int64s": np.int64, "strings": np.str_}
"""The types of LabelEncoder's values."""


def label_encoder(x: Array, **attributes: Any) -> Array:
    """Return for each element the value that stands where the element stands among the keys, or a default.

    Args:
        x: texts, float32 or int64.
        attributes: the keys, as ``keys_floats``, ``keys_int64s`` or ``keys_strings``; the values, as ``values_floats``
            and so on; and ``default_float``, ``default_int64`` or ``default_string``.
    """
    (keys,) = (attributes[f"keys_{each}"] for each in VALUE_TYPES if f"keys_{each}" in attributes)
    (kind,) = (each for each in VALUE_TYPES if f"values_{each}" in attributes)
    default = attributes.get(f"default_{kind.removesuffix('s')}", DEFAULTS[kind])
    value_of = dict(zip(keys, attributes[f"values_{kind}"], strict=True))
    of_nan = next((value for key, value in value_of.items() if key != key), default)  # noqa: PLR0124 - it is NaN
    values = [of_nan if each != each else value_of.get(each, default) for each in x.ravel().tolist()]  # noqa: PLR0124
    return np.array(values, VALUE_TYPES[kind]).reshape(x.shape)


CATEGORIES: Final[dict[str, Callable[..., Array]]] = {"LabelEncoder": label_encoder}
"""These operators, by name."""
