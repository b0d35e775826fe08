"""Operators that bring numbers to mean 0 and variance 1, or to length 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]


def batch_normalization(
    x: Array, scale: Array, b: Array, mean: Array, variance: Array, *, epsilon: float = 1e-5, momentum: float = 0.9
) -> Array:
    """Return scale (x - mean) / √(variance + epsilon) + b, with the statistics given for each channel."""
    scale, b, mean, variance = (each.reshape(-1, *[1] * (x.ndim - 2)) for each in (scale, b, mean, variance))
    y: Array = scale * (x - mean) / np.sqrt(variance + epsilon) + b
    return y


def layer_normalization(
    x: Array, scale: Array, b: Array | None = None, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Array:
    """Return scale (x - mean x) / √(variance of x + epsilon) + b, over the axes from one to the last."""
    y = scale * _normalized(x, tuple(range(axis % x.ndim, x.ndim)), epsilon)
    return y if b is None else y + b


def instance_normalization(x: Array, scale: Array, b: Array, *, epsilon: float = 1e-5) -> Array:
    """Return scale (x - mean x) / √(variance of x + epsilon) + b, over each channel of each image."""
    scale, b = (each.reshape(-1, *[1] * (x.ndim - 2)) for each in (scale, b))
    return scale * _normalized(x, tuple(range(2, x.ndim)), epsilon) + b


def mean_variance_normalization(x: Array, *, axes: Sequence[int] = (0, 2, 3)) -> Array:
    """Return (x - mean x) / (√variance of x + 1e-9), over some axes."""
    deviation = np.std(x, axis=tuple(axes), keepdims=True)
    y: Array = (x - np.mean(x, axis=tuple(axes), keepdims=True)) / (deviation + x.dtype.type(1e-9))
    return y


def lp_normalization(x: Array, *, axis: int = -1, p: int = 2) -> Array:
    """Return x / (Σ |x|ᵖ)^(1/p) along an axis; zeros where that is 0."""
    norm = np.linalg.norm(x, ord=p, axis=axis, keepdims=True)
    y: Array = np.where(norm == 0, 0, x / norm).astype(x.dtype)
    return y


def local_response_normalization(
    x: Array, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0
) -> Array:
    """Return x / (bias + alpha / size Σ x²) to the power of beta, the sum over so many channels around each."""
    before, after = (size - 1) // 2, size // 2
    squares = np.pad(np.square(x), [(0, 0), (before, after), *[(0, 0)] * (x.ndim - 2)])
    total = sum(squares[:, first : first + x.shape[1]] for first in range(size))
    y: Array = x / (bias + alpha / size * total) ** beta
    return y


def _normalized(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    centred = x - x.mean(axis=axes, keepdims=True)
    y: Array = centred / np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + epsilon)
    return y


NORMALIZATIONS: Final[dict[str, Callable[..., Array]]] = {
    "BatchNormalization": batch_normalization,
    "InstanceNormalization": instance_normalization,
    "LRN": local_response_normalization,
    "LayerNormalization": layer_normalization,
    "LpNormalization": lp_normalization,
    "MeanVarianceNormalization": mean_variance_normalization,
}
"""These operators, by name."""
