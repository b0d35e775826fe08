"""Matrix products, and operators on patches of images: convolution and pooling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mlpkit.array import Array


def gemm(
    a: Array,
    b: Array,
    c: Array | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Array:
    """Return alpha A B + beta C, with A and B transposed as requested."""
    y = alpha * ((a.T if transA else a) @ (b.T if transB else b))
    return (y if c is None else y + beta * c).astype(a.dtype)


def conv(
    x: Array, w: Array, b: Array | None = None, *, group: int = 1, kernel_shape: Sequence[int] | None = None, **how: Any
) -> Array:
    """Return y[k] = b[k] + Σ W[k] x, over each patch of x with zeros around it.

    x has shape (rows, channels, ...), and w (filters, channels of a group, *patch).
    """
    axes = w.ndim - 2
    of_patch, of_filter = (1, *range(-axes, 0)), tuple(range(1, w.ndim))
    groups = zip(np.split(patches(x, w.shape[2:], **how), group, axis=1), np.split(w, group), strict=True)
    y = np.concatenate([np.tensordot(part, filters, (of_patch, of_filter)) for part, filters in groups], axis=-1)
    y = np.moveaxis(y, -1, 1)
    return y if b is None else y + b.reshape(-1, *[1] * axes)


def max_pool(x: Array, *, kernel_shape: Sequence[int], storage_order: int = 0, **how: Any) -> Array:
    """Return the largest element of each patch; ``storage_order`` is about positions, which aren't returned."""
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    y: Array = patches(x, kernel_shape, around=least, beyond=least, **how).max(axis=_of_patch(kernel_shape))
    return y


def average_pool(
    x: Array,
    *,
    kernel_shape: Sequence[int],
    count_include_pad: int = 0,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> Array:
    """Return the mean of each patch, without padding unless ``count_include_pad`` is set."""
    how: dict[str, Any] = {"auto_pad": auto_pad, "ceil_mode": ceil_mode, "pads": pads, "strides": strides}
    counted = patches(np.ones_like(x), kernel_shape, around=count_include_pad, **how)
    along = _of_patch(kernel_shape)
    y: Array = patches(x, kernel_shape, **how).sum(axis=along) / counted.sum(axis=along)
    return y


def global_average_pool(x: Array) -> Array:
    """Return the mean of each channel."""
    y: Array = x.mean(axis=tuple(range(2, x.ndim)), keepdims=True)
    return y


def patches(
    x: Array,
    kernel: Sequence[int],
    *,
    around: float = 0,
    beyond: float = 0,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> Array:
    """Return the patches of images of shape (rows, channels, ...), shape (rows, channels, *places, *kernel).

    ``around`` is the value of the padding around the images, and ``beyond`` that after the padding, if the last patch
    extends that far. The rest are attributes of ONNX's convolution and pooling.
    """
    axes = range(len(kernel))
    dilations, strides = dilations or [1 for _ in axes], strides or [1 for _ in axes]
    spans = [(kernel[i] - 1) * dilations[i] + 1 for i in axes]
    padding, excess = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
    for i in axes:
        explicit = (pads[i], pads[i + len(kernel)]) if pads else (0, 0)
        before, after = _same_padding(x.shape[2 + i], spans[i], strides[i], auto_pad) or explicit
        padding.append((before, after))
        excess.append((0, _excess(x.shape[2 + i] + before, after, spans[i], strides[i]) if ceil_mode else 0))
    padded = np.pad(np.pad(x, padding, constant_values=around), excess, constant_values=beyond)
    windows: Array = sliding_window_view(padded, spans, tuple(range(2, x.ndim)))
    places = tuple(slice(None, None, stride) for stride in strides)
    elements = tuple(slice(None, None, dilation) for dilation in dilations)
    return windows[(slice(None), slice(None), *places, *elements)]


def _same_padding(length: int, span: int, stride: int, auto_pad: str) -> tuple[int, int] | None:
    """Return the padding along an axis that gives one patch per stride; None unless ``auto_pad`` asks for it."""
    if not auto_pad.startswith("SAME"):
        return None
    places = -(-length // stride)
    padding = max((places - 1) * stride + span - length, 0)
    less, more = padding // 2, padding - padding // 2
    return (less, more) if auto_pad == "SAME_UPPER" else (more, less)


def _excess(length: int, after: int, span: int, stride: int) -> int:
    """Return how far the last patch that starts within the length extends beyond the padding after it."""
    steps = -(-(length + after - span) // stride)
    if steps * stride >= length:
        steps -= 1
    return max(steps * stride + span - length - after, 0)


def _of_patch(kernel: Sequence[int]) -> tuple[int, ...]:
    return tuple(range(-len(kernel), 0))


PRODUCTS: Final[dict[str, Callable[..., Array]]] = {
    "AveragePool": average_pool,
    "Conv": conv,
    "Gemm": gemm,
    "GlobalAveragePool": global_average_pool,
    "MatMul": np.matmul,
    "MaxPool": max_pool,
}
"""These operators, by name."""
