"""Operators that go along axes: sums, means, extremes, and where these are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]


def reduction(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return an operator that goes along the axes that an attribute lists; without it along all.

    Args:
        function: what it computes, with NumPy's arguments ``axis`` and ``keepdims``.
    """

    def reduced(x: Array, *, axes: Sequence[int] | None = None, keepdims: int = 1) -> Array:
        y: Array = function(x, axis=None if axes is None else tuple(axes), keepdims=bool(keepdims))
        return y.astype(x.dtype)

    return reduced


def reduce_sum(x: Array, axes: Array | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Array:
    """Return Σ x along axes, which are an input; without them along all, or none if that is said."""
    if axes is None or not len(axes):
        return x if noop_with_empty_axes else x.sum(keepdims=bool(keepdims), dtype=x.dtype)
    y: Array = x.sum(axis=tuple(axes), keepdims=bool(keepdims), dtype=x.dtype)
    return y


def l1(x: Array, **along: Any) -> Array:
    """Return Σ |x|."""
    y: Array = np.abs(x).sum(**along)
    return y


def l2(x: Array, **along: Any) -> Array:
    """Return √(Σ x²)."""
    y: Array = np.sqrt(np.square(x).sum(**along))
    return y


def sum_of_squares(x: Array, **along: Any) -> Array:
    """Return Σ x²."""
    y: Array = np.square(x).sum(**along)
    return y


def log_of_sum(x: Array, **along: Any) -> Array:
    """Return log Σ x."""
    y: Array = np.log(np.sum(x, **along))
    return y


def log_of_sum_of_exponentials(x: Array, *, axis: tuple[int, ...] | None, keepdims: bool) -> Array:
    """Return log Σ exp(x), as max x + log Σ exp(x - max x), which never overflows."""
    largest = x.max(axis=axis, keepdims=True)
    total = np.exp(x - np.where(np.isfinite(largest), largest, 0)).sum(axis=axis, keepdims=keepdims)
    y: Array = np.log(total) + np.where(np.isfinite(largest), largest, 0).reshape(total.shape)
    return y


def arg_max(x: Array, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Array:
    """Return the position of the first largest element along an axis, or of the last if that is said."""
    if not select_last_index:
        return np.asarray(x.argmax(axis=axis, keepdims=bool(keepdims)))
    return np.asarray(x.shape[axis] - 1 - np.flip(x, axis).argmax(axis=axis, keepdims=bool(keepdims)))


def arg_min(x: Array, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Array:
    """Return the position of the first smallest element along an axis, or of the last if that is said."""
    if not select_last_index:
        return np.asarray(x.argmin(axis=axis, keepdims=bool(keepdims)))
    return np.asarray(x.shape[axis] - 1 - np.flip(x, axis).argmin(axis=axis, keepdims=bool(keepdims)))


def cumulative_sum(x: Array, axis: Array, *, exclusive: int = 0, reverse: int = 0) -> Array:
    """Return the sums of the elements so far along an axis, each with its own element unless that is excluded."""
    along = int(axis)
    x = np.flip(x, along) if reverse else x
    y: Array = np.cumsum(x, along, dtype=x.dtype)
    y = y - x if exclusive else y
    return np.flip(y, along) if reverse else y


REDUCTIONS: Final[dict[str, Callable[..., Array]]] = {
    "ArgMax": arg_max,
    "ArgMin": arg_min,
    "CumSum": cumulative_sum,
    "ReduceL1": reduction(l1),
    "ReduceL2": reduction(l2),
    "ReduceLogSum": reduction(log_of_sum),
    "ReduceLogSumExp": reduction(log_of_sum_of_exponentials),
    "ReduceMax": reduction(np.max),
    "ReduceMean": reduction(np.mean),
    "ReduceMin": reduction(np.min),
    "ReduceProd": reduction(np.prod),
    "ReduceSum": reduce_sum,
    "ReduceSumSquare": reduction(sum_of_squares),
}
"""These operators, by name."""
