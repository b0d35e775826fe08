"""The order in which images lie in memory, so that convolution and pooling read them quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

IN_MEMORY = (3, 1, 2, 0)
"""From the axes of images, (rows, channels, height, width), to their order in memory, (width, channels, height, rows):
columns of pixels one after the other, the same pixel of all images side by side. And back."""


def in_memory(images: NDArray[Any]) -> NDArray[Any]:
    """Return images with their axes in memory's order, a copy unless they lie so."""
    return np.ascontiguousarray(images.transpose(IN_MEMORY))
