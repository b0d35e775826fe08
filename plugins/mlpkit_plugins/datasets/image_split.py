"""A split of images and their classes, stored as bytes and converted minibatch by minibatch."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mlpkit import Array, DataError, Graph, Value
from mlpkit_plugins.kernels import take_scaled

FAR_FROM_NORMAL: Final = 20.0
"""Far above normalized pixels, which are at most 1, or a little more with noise."""

PIXEL = 1 / 255
"""The factor for a byte; multiplication is faster than division, and equal up to rounding."""


class ImageSplit:
    """Images as bytes, with a class number for each.

    Args:
        images: values of grey or of colour channels, uint8, shape (examples, *input_shape).
        labels: class numbers, int64, shape (examples,).
        classes: number of classes.
        normalize: whether ``take`` divides pixels by 255.
        one_hot: whether ``take`` writes targets as one-hot rows.
        weights: the weight of each example; None without weights.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        *,
        classes: int,
        normalize: bool,
        one_hot: bool,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        self._images = images
        self._labels = labels
        self._classes = classes
        self._normalize = normalize
        self._one_hot = one_hot
        self._weights = weights

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self._images)

    def take(self, indices: Array, out: tuple[Array, ...]) -> None:
        """Write the examples at ``indices`` into ``out``.

        Args:
            indices: positions in this split, in any order, repeats allowed.
            out: arrays for inputs, shape (rows, *input_shape); for targets, shape (rows,) or (rows, classes); and for
                weights, if examples have them.

        Raises:
            IndexError: a position is outside the split.
        """
        x, t, *weights = out
        numbers = self._labels.take(indices)  # small, so the indices are checked here
        take_scaled(self._images, indices, PIXEL if self._normalize else 1.0, x)
        if self._one_hot:
            t[...] = 0
            t[np.arange(len(t)), numbers] = 1
        else:
            t[...] = numbers
        if weights and self._weights is not None:
            weights[0][...] = self._weights.take(indices)


def pixels_of(raw: Array, shape: tuple[int, ...], dtype: DTypeLike, *, normalize: bool) -> Array:
    """Encode raw images as a network's inputs, shape (rows, *shape).

    Args:
        raw: images, as integers from 0 to 255, or as floats, which are taken unchanged.
        shape: shape of an image in the network.
        dtype: the network's dtype.
        normalize: whether integers are divided by 255.

    Raises:
        DataError: floats should be normalized, but clearly aren't.
    """
    x = np.array(raw, dtype, order="C").reshape(len(raw), *shape)
    if normalize and raw.dtype.kind in "iu":
        np.multiply(x, PIXEL, out=x)
    elif normalize and raw.dtype.kind == "f" and _are_far_from_normal(raw):
        expected = "expected floats from 0 to 1, or integers from 0 to 255, as .astype(np.uint8) makes them"
        raise DataError("the pixels", f"they are floats such as {raw.max():g}; {expected}")
    return x


def pixels_in_graph(graph: Graph, shape: tuple[int, ...], *, normalize: bool) -> Value:
    """Describe ``pixels_of`` for images of bytes.

    Args:
        graph: the graph.
        shape: shape of a raw image.
        normalize: whether bytes are divided by 255.
    """
    meaning = "pixels from 0 to 255, each a byte"
    x = graph.cast(graph.feed("image", "uint8", shape, kind="pixels", meaning=meaning), graph.dtype)
    if len(graph.input_shape) == 1:
        x = graph.op("Flatten", x)
    return graph.op("Mul", x, PIXEL) if normalize else x


def why_not_scaled(x: Array) -> str:
    """Return why pixels can't have been divided by 255; empty if they may have been."""
    if x.dtype.kind in "iu" and x.max() > 1:
        return f"they are integers such as {x.max()}, but encoding divides pixels by 255"
    if x.dtype.kind == "f" and _are_far_from_normal(x):
        return f"they are numbers such as {x.max():g}, but encoding divides pixels by 255"
    return ""


def _are_far_from_normal(x: Array) -> bool:
    """Whether the largest pixel is too large for a normalized one, but not for a raw one."""
    return bool(x.size and FAR_FROM_NORMAL < x.max() <= 255)
