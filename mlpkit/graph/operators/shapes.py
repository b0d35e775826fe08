"""Operators that rearrange elements: shapes, axes, repetition, parts of arrays."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Final

import numpy as np

from mlpkit.array import Array


def flatten(x: Array, *, axis: int = 1) -> Array:
    """Return x as a matrix: axes before ``axis`` become the rows, the rest the columns."""
    axis = axis % x.ndim if axis < 0 else axis
    return x.reshape(prod(x.shape[:axis]), prod(x.shape[axis:]))


def reshape(x: Array, shape: Array, *, allowzero: int = 0) -> Array:
    """Return x in another shape, where -1 is inferred, and 0 keeps x's length on that axis."""
    lengths = [x.shape[i] if length == 0 and not allowzero else int(length) for i, length in enumerate(shape)]
    return x.reshape(lengths)


def squeeze(x: Array, axes: Array | None = None) -> Array:
    """Remove the given axes of length 1, by default all of them."""
    y: Array = np.squeeze(x, None if axes is None else tuple(axes))
    return y


def unsqueeze(x: Array, axes: Array) -> Array:
    """Insert axes of length 1, at these positions of the result."""
    return np.expand_dims(x, tuple(axes))


def expand(x: Array, shape: Array) -> Array:
    """Broadcast x to a shape, as NumPy does."""
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape)))


def concat(*inputs: Array, axis: int) -> Array:
    """Concatenate the inputs along an axis."""
    return np.concatenate(inputs, axis)


def take_slice(x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None) -> Array:
    """Return the part of x from start to end along each of the axes, in steps."""
    of_axis = [slice(None)] * x.ndim
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        axis = i if axes is None else int(axes[i])
        step = 1 if steps is None else int(steps[i])
        before_first = step < 0 and end < -x.shape[axis]
        of_axis[axis] = slice(start, None if before_first else end, step)
    return x[tuple(of_axis)]


def gather(x: Array, indices: Array, *, axis: int = 0) -> Array:
    """Return the parts of x at positions along an axis."""
    return np.take(x, indices, axis)


def pad(x: Array, pads: Array, value: Array | None = None, *, mode: str = "constant") -> Array:
    """Add elements around x, or remove them where a number is negative.

    The numbers are those before each axis, followed by those after each; the mode is one of ``numpy.pad``.
    """
    before, after = np.split(pads.astype(int), 2)
    inside = tuple(slice(max(-b, 0), n - max(-a, 0)) for b, a, n in zip(before, after, x.shape, strict=True))
    widths = list(zip(np.maximum(before, 0), np.maximum(after, 0), strict=True))
    if mode != "constant":
        return np.pad(x[inside], widths, mode=mode)  # type: ignore[call-overload, no-any-return]
    return np.pad(x[inside], widths, constant_values=0 if value is None else value.item())


SHAPES: Final[dict[str, Callable[..., Array]]] = {
    "Concat": concat,
    "Expand": expand,
    "Flatten": flatten,
    "Gather": gather,
    "Pad": pad,
    "Reshape": reshape,
    "Slice": take_slice,
    "Squeeze": squeeze,
    "Tile": np.tile,
    "Transpose": lambda x, *, perm=None: np.transpose(x, perm),
    "Unsqueeze": unsqueeze,
}
"""These operators, by name."""
