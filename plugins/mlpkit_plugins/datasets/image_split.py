"""A split of grey images and their classes, kept as bytes and converted minibatch by minibatch."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ImageSplit:
    """Images as bytes, with a class number for each.

    Args:
        images: grey values, uint8, shape (examples, *input_shape).
        labels: class numbers, int64, shape (examples,).
        classes: number of classes.
        normalize: whether ``take`` divides pixels by 255.
        one_hot: whether ``take`` writes targets as rows with a single one.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        *,
        classes: int,
        normalize: bool,
        one_hot: bool,
    ) -> None:
        self._images = images
        self._labels = labels
        self._classes = classes
        self._normalize = normalize
        self._one_hot = one_hot
        self._scratch = _Scratch(images.shape[1:])

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self._images)

    def take(self, indices: NDArray[Any], out: tuple[NDArray[Any], NDArray[Any]]) -> None:
        """Write the examples at ``indices`` into ``out``, and read no others.

        Args:
            indices: positions in this split, in any order, repeats allowed.
            out: arrays for inputs, shape (rows, *input_shape), and targets, shape (rows,) or (rows, classes).

        Raises:
            IndexError: a position lies outside the split.
        """
        x, t = out
        numbers = self._labels.take(indices)  # small, so this is where the indices get checked
        pixels = self._scratch.pixels(len(indices))
        # Any mode but "raise" writes straight into its output; "wrap" reads negative indices as indexing does.
        self._images.take(indices, 0, pixels, "wrap")
        x[...] = pixels
        if self._normalize:
            scale_pixels(x)
        if self._one_hot:
            self._scratch.identity(self._classes, t.dtype).take(numbers, 0, t, "clip")
        else:
            t[...] = numbers


def scale_pixels(x: NDArray[Any]) -> None:
    """Divide pixels by 255 in place; a product is faster than a quotient, and within a rounding of it."""
    np.multiply(x, 1 / 255, out=x)


class _Scratch(threading.local):
    """Memory that ``take`` works in, kept from call to call, and each thread's own."""

    def __init__(self, image_shape: tuple[int, ...]) -> None:
        self._pixels = np.empty((0, *image_shape), np.uint8)
        self._part = self._pixels
        self._identities: dict[np.dtype[Any], NDArray[Any]] = {}

    def pixels(self, rows: int) -> NDArray[np.uint8]:
        """Return room for so many images: a part of the most ever asked for."""
        if rows != len(self._part):
            if rows > len(self._pixels):
                self._pixels = np.empty((rows, *self._pixels.shape[1:]), np.uint8)
            self._part = self._pixels[:rows]
        return self._part

    def identity(self, size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return the identity matrix, whose rows are the one-hot targets."""
        if dtype not in self._identities:
            self._identities[dtype] = np.identity(size, dtype)
        return self._identities[dtype]
