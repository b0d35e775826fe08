"""The memory order of images in which convolution and pooling are fast."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mlpkit import Array, Layer
from mlpkit_plugins.kernels import pad_images

IN_MEMORY = (3, 1, 2, 0)
"""The transposition from (rows, channels, height, width) to the memory order (width, channels, height, rows), in which
the same pixel of all images is contiguous. It is its own inverse."""


def in_memory(layer: Layer, name: str, images: Array, padding: int = 0) -> Array:
    """Return images in memory order, as ``put_in_memory`` does, once."""
    return put_in_memory(layer, name, images, padding)()


def put_in_memory(layer: Layer, name: str, images: Array, padding: int = 0) -> Callable[[], Array]:
    """Return a function that returns images in memory order: a new copy each time, unless they have it already.

    Args:
        layer: the layer whose buffer holds the copy.
        name: the name of the buffer.
        images: shape (rows, channels, height, width).
        padding: pixels of zeros to add on all four sides.
    """
    turned = images.transpose(IN_MEMORY)
    if not padding and turned.flags.c_contiguous:
        return lambda: turned
    width, channels, height, rows = turned.shape
    shape = (width + 2 * padding, channels, height + 2 * padding, rows)
    return partial(pad_images, images, padding, layer.buffer(name, shape, images.dtype))
