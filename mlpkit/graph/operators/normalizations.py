"""Operators that normalize to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from mlpkit.array import Array


def batch_normalization(
    x: Array, scale: Array, b: Array, mean: Array, variance: Array, *, epsilon: float = 1e-5, momentum: float = 0.9
) -> Array:
    """Return scale (x - mean) / √(variance + epsilon) + b, with given statistics of each channel."""
    scale, b, mean, variance = (each.reshape(-1, *[1] * (x.ndim - 2)) for each in (scale, b, mean, variance))
    y: Array = scale * (x - mean) / np.sqrt(variance + epsilon) + b
    return y


def layer_normalization(
    x: Array, scale: Array, b: Array | None = None, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Array:
    """Return scale (x - mean x) / √(variance of x + epsilon) + b, over the axes from ``axis`` to the last."""
    axes = tuple(range(axis % x.ndim, x.ndim))
    centred = x - x.mean(axis=axes, keepdims=True)
    y: Array = scale * (centred / np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + epsilon))
    return y if b is None else y + b


NORMALIZATIONS: Final[dict[str, Callable[..., Array]]] = {
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
}
"""These operators, by name."""
