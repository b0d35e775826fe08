"""Operators that reduce axes: sums, means, extremes, and the positions of extremes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from mlpkit.array import Array


def reduction(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return an operator that reduces the axes in its attribute ``axes``, by default all, with a function of NumPy."""

    def reduce(x: Array, *, axes: Sequence[int] | None = None, keepdims: int = 1) -> Array:
        y: Array = function(x, axis=None if axes is None else tuple(axes), keepdims=bool(keepdims))
        return y.astype(x.dtype)

    return reduce


def reduce_sum(x: Array, axes: Array | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Array:
    """Return Σ x along axes; without axes along all, or x itself if ``noop_with_empty_axes`` is set."""
    if axes is None or not len(axes):
        return x if noop_with_empty_axes else x.sum(keepdims=bool(keepdims), dtype=x.dtype)
    y: Array = x.sum(axis=tuple(axes), keepdims=bool(keepdims), dtype=x.dtype)
    return y


def arg_max(x: Array, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Array:
    """Return the position of the first largest element along an axis; the last if ``select_last_index`` is set."""
    if not select_last_index:
        return np.asarray(x.argmax(axis=axis, keepdims=bool(keepdims)))
    return np.asarray(x.shape[axis] - 1 - np.flip(x, axis).argmax(axis=axis, keepdims=bool(keepdims)))


REDUCTIONS: Final[dict[str, Callable[..., Array]]] = {
    "ArgMax": arg_max,
    "ReduceMax": reduction(np.max),
    "ReduceMean": reduction(np.mean),
    "ReduceMin": reduction(np.min),
    "ReduceSum": reduce_sum,
}
"""These operators, by name."""
