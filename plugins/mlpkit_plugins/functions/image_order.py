"""The order in which images lie in memory, so that convolution and pooling read them quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit_plugins.kernels import pad_images

if TYPE_CHECKING:
    from mlpkit import Array, Layer

IN_MEMORY = (3, 1, 2, 0)
"""From the axes of images, (rows, channels, height, width), to their order in memory, (width, channels, height, rows):
columns of pixels one after the other, the same pixel of all images side by side. And back."""


def in_memory(layer: Layer, name: str, images: Array, padding: int = 0) -> Array:
    """Return images with their axes in memory's order, a copy unless they lie so.

    Args:
        layer: whose buffer the copy is.
        name: of the buffer.
        images: shape (rows, channels, height, width).
        padding: pixels of zeros to put on all four sides.
    """
    turned = images.transpose(IN_MEMORY)
    if not padding and turned.flags.c_contiguous:
        return turned
    width, channels, height, rows = turned.shape
    return pad_images(
        images, padding, layer.buffer(name, (width + 2 * padding, channels, height + 2 * padding, rows), images.dtype)
    )
