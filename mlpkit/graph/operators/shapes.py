"""Operators that lay elements out in another way: shapes, axes, parts of arrays, and arrays made of a shape."""

from __future__ import annotations

from math import ceil, prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]


def flatten(x: Array, *, axis: int = 1) -> Array:
    """Return x as a matrix, whose rows are laid out over the axes before one, and whose columns over the others."""
    axis = axis % x.ndim if axis < 0 else axis
    return x.reshape(prod(x.shape[:axis]), prod(x.shape[axis:]))


def reshape(x: Array, shape: Array, *, allowzero: int = 0) -> Array:
    """Return x in a shape, where -1 is what is left over, and 0 is the length that x has there."""
    lengths = [x.shape[i] if length == 0 and not allowzero else int(length) for i, length in enumerate(shape)]
    return x.reshape(lengths)


def transpose(x: Array, *, perm: Sequence[int] | None = None) -> Array:
    """Return x with its axes in another order; without one, backwards."""
    return x.transpose(perm)


def squeeze(x: Array, axes: Array | None = None) -> Array:
    """Return x without some axes of length 1; without ``axes``, without all of them."""
    y: Array = np.squeeze(x, None if axes is None else tuple(axes))
    return y


def unsqueeze(x: Array, axes: Array) -> Array:
    """Return x with more axes of length 1, at these positions of the result."""
    return np.expand_dims(x, tuple(axes))


def expand(x: Array, shape: Array) -> Array:
    """Return x repeated along axes of length 1, so that it fits a shape, as NumPy broadcasts."""
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape)))


def tile(x: Array, repeats: Array) -> Array:
    """Return x so many times over along each axis."""
    return np.tile(x, tuple(repeats))


def concat(*inputs: Array, axis: int) -> Array:
    """Return the inputs one after the other along an axis."""
    return np.concatenate(inputs, axis)


def take_slice(x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None) -> Array:
    """Return a part of x: from start to end along each of the axes, in steps."""
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


def gather_elements(x: Array, indices: Array, *, axis: int = 0) -> Array:
    """Return an element of x for each index, which replaces the element's own position along an axis."""
    grid: list[Array] = list(np.indices(indices.shape, sparse=True))
    grid[axis] = indices
    y: Array = x[tuple(grid)]
    return y


def gather_nd(x: Array, indices: Array, *, batch_dims: int = 0) -> Array:
    """Return the parts of x at positions, each along as many axes as the last axis of the indices is long."""
    if not batch_dims:
        y: Array = x[tuple(np.moveaxis(indices, -1, 0))]
        return y
    return np.stack([gather_nd(*pair, batch_dims=batch_dims - 1) for pair in zip(x, indices, strict=True)])


def pad(x: Array, pads: Array, value: Array | None = None, *, mode: str = "constant") -> Array:
    """Return x with more elements around it, or fewer where a number is negative.

    Args:
        x: the array.
        pads: for each axis how many elements come before, then for each how many come after.
        value: what they are, in the mode ``constant``; by default 0.
        mode: as ``numpy.pad`` knows it.
    """
    before, after = np.split(pads.astype(int), 2)
    inside = tuple(slice(max(-b, 0), n - max(-a, 0)) for b, a, n in zip(before, after, x.shape, strict=True))
    widths = list(zip(np.maximum(before, 0), np.maximum(after, 0), strict=True))
    if mode != "constant":
        return np.pad(x[inside], widths, mode=mode)  # type: ignore[call-overload, no-any-return]
    return np.pad(x[inside], widths, constant_values=0 if value is None else value.item())


def one_hot(indices: Array, depth: Array, values: Array, *, axis: int = -1) -> Array:
    """Return a new axis of length ``depth`` with the second of two values at each index, and the first elsewhere."""
    count = int(depth.reshape(()))
    classes = np.arange(count).reshape(-1, *[1] * (indices.ndim - axis % (indices.ndim + 1)))
    wrapped = np.where((indices >= -count) & (indices < 0), indices + count, indices)
    y: Array = np.where(np.expand_dims(wrapped, axis) == classes, values[1], values[0])
    return y


def shape_of(x: Array, *, start: int = 0, end: int | None = None) -> Array:
    """Return the lengths of x's axes, or of some of them."""
    return np.array(x.shape[start:end], np.int64)


def size(x: Array) -> Array:
    """Return the number of x's elements."""
    return np.array(x.size, np.int64)


def constant_of_shape(shape: Array, *, value: Array | None = None) -> Array:
    """Return an array of a shape full of a value; by default 0, in float32."""
    return np.full(
        tuple(shape), np.float32(0) if value is None else value.item(), None if value is None else value.dtype
    )


def arange(start: Array, limit: Array, step: Array) -> Array:
    """Return the numbers from one to another, the latter left out, in steps."""
    count = max(0, ceil((limit.item() - start.item()) / step.item()))
    return np.arange(count, dtype=start.dtype) * step + start


def triangle(x: Array, k: Array | None = None, *, upper: int = 1) -> Array:
    """Return x with zeros below a diagonal, or above it if ``upper`` is 0."""
    diagonal = 0 if k is None else int(k)
    return np.triu(x, diagonal) if upper else np.tril(x, diagonal)


def depth_to_space(x: Array, *, blocksize: int, mode: str = "DCR") -> Array:
    """Return images in which the channels of a pixel are a square of pixels."""
    rows, channels, height, width = x.shape
    b, left = blocksize, channels // blocksize**2
    if mode == "CRD":
        y = x.reshape(rows, left, b, b, height, width).transpose(0, 1, 4, 2, 5, 3)
    else:
        y = x.reshape(rows, b, b, left, height, width).transpose(0, 3, 4, 1, 5, 2)
    return y.reshape(rows, left, height * b, width * b)


def space_to_depth(x: Array, *, blocksize: int) -> Array:
    """Return images in which a square of pixels is the channels of one."""
    rows, channels, height, width = x.shape
    b = blocksize
    y = x.reshape(rows, channels, height // b, b, width // b, b).transpose(0, 3, 5, 1, 2, 4)
    return y.reshape(rows, channels * b**2, height // b, width // b)


def dropout(x: Array, ratio: Array | None = None, *, seed: int = 0) -> Array:
    """Return x, as nothing is dropped outside training."""
    return x


SHAPES: Final[dict[str, Callable[..., Array]]] = {
    "Concat": concat,
    "ConstantOfShape": constant_of_shape,
    "DepthToSpace": depth_to_space,
    "Dropout": dropout,
    "Expand": expand,
    "Flatten": flatten,
    "Gather": gather,
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    "OneHot": one_hot,
    "Pad": pad,
    "Range": arange,
    "Reshape": reshape,
    "Shape": shape_of,
    "Size": size,
    "Slice": take_slice,
    "SpaceToDepth": space_to_depth,
    "Squeeze": squeeze,
    "Tile": tile,
    "Transpose": transpose,
    "Trilu": triangle,
    "Unsqueeze": unsqueeze,
}
"""These operators, by name."""
