"""Images of one class each, stored as bytes and converted minibatch by minibatch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataError, Dataset, Graph, ShapeError, Value
from mlpkit_plugins.kernels import take_scaled

FAR_FROM_NORMAL: Final = 20.0
"""Far above normalized pixels, which are at most 1, or a little more with noise."""

PIXEL = 1 / 255
"""The factor for a byte; multiplication is faster than division, and equal up to rounding."""


class ByteImages(Dataset):
    """A data set of images with a class each, and a byte for each pixel and channel.

    A subclass sets ``normalize``, whether pixels are divided by 255, and ``flatten``, whether images become rows.
    """

    normalize = True
    flatten = True
    _fingerprint = ""

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, ...]:
        """The shape of a raw image: height and width, perhaps after channels."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of an image in the network."""
        return (prod(self.image_shape),) if self.flatten else self.image_shape

    def input_scaling(self) -> dict[str, Any]:
        """Return ``normalize``, unless it is set: pixels from 0 to 1 are near enough."""
        return {} if self.normalize else {"normalize": True}

    def target_remedy(self) -> str:
        """Return the advice to use a loss on classes."""
        return "end the layers with a loss on classes, such as SoftmaxWithLoss"

    def fingerprint(self) -> str:
        """Return a SHA-256 of the files, once opened; empty until then."""
        return self._fingerprint

    def encode(self, raw: Array) -> Array:
        """Encode raw images, with their axes, without the channel if they are grey, or as rows.

        Integers are pixels from 0 to 255, and are normalized as in training. Floats are taken unchanged, unless they
        clearly aren't normalized.
        """
        shape = self.image_shape
        shapes = [shape, (prod(shape),), *([shape[1:]] if len(shape) > 2 and shape[0] == 1 else [])]
        if raw.shape[1:] not in shapes:
            expected = " or ".join(f"(rows, {', '.join(map(str, one))})" for one in shapes)
            raise ShapeError(f"images of shape {raw.shape} don't fit the data set", expected=expected)
        x = np.array(raw, self.dtype, order="C").reshape(len(raw), *self.input_shape)
        if self.normalize and raw.dtype.kind in "iu":
            np.multiply(x, PIXEL, out=x)
        elif self.normalize and raw.dtype.kind == "f" and _are_far_from_normal(raw):
            expected = "expected floats from 0 to 1, or integers from 0 to 255, as .astype(np.uint8) makes them"
            raise DataError("the pixels", f"they are floats such as {raw.max():g}; {expected}")
        return x

    def onnx(self, graph: Graph) -> Value:
        """Describe the normalization of bytes."""
        meaning = "pixels from 0 to 255, each a byte"
        feed = graph.feed("image", "uint8", self.image_shape, kind="pixels", meaning=meaning)
        x = graph.cast(feed, graph.dtype)
        if self.flatten:
            x = graph.op("Flatten", x)
        return graph.op("Mul", x, PIXEL) if self.normalize else x

    def why_not_encoded(self, inputs: Array) -> str:
        """Return why pixels can't be normalized, such as integers above 1; empty if they may be."""
        if self.normalize and inputs.dtype.kind in "iu" and inputs.max() > 1:
            return f"they are integers such as {inputs.max()}, but encoding divides pixels by 255"
        if self.normalize and inputs.dtype.kind == "f" and _are_far_from_normal(inputs):
            return f"they are numbers such as {inputs.max():g}, but encoding divides pixels by 255"
        return ""


@dataclass(frozen=True, eq=False)
class ImageSplit:
    """Images as bytes, shape (examples, *input_shape), with a class number for each.

    ``normalize`` divides pixels by 255, and ``one_hot`` makes targets one-hot rows.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    normalize: bool
    one_hot: bool = False

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.images)

    def take(self, indices: Array, out: tuple[Array, ...]) -> None:
        """Write the examples at ``indices`` into ``out``."""
        x, t = out
        numbers = self.labels.take(indices)  # small, so the indices are checked here
        take_scaled(self.images, indices, PIXEL if self.normalize else 1.0, x)
        if self.one_hot:
            t[...] = 0
            t[np.arange(len(t)), numbers] = 1
        else:
            t[...] = numbers


def _are_far_from_normal(x: Array) -> bool:
    """Whether the largest pixel is too large for a normalized one, but not for a raw one."""
    return bool(x.size and FAR_FROM_NORMAL < x.max() <= 255)
