"""Max pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit_plugins.functions.pool2d import Pool2d

if TYPE_CHECKING:
    from numpy.typing import NDArray


class MaxPool2d(Pool2d):
    """Largest pixel of each square patch of an image, channel by channel.

        y[i, j] = max x[i stride + p, j stride + q]  (over p and q from 0 to size - 1)
        dx      = Σ dy  (over the patches that x is the largest pixel of, the first one if several are equal)

    Args:
        size: pixels along each side of a patch.
        stride: pixels from one patch to the next, down and across; by default the size, so that patches don't overlap.

    Shapes: x (rows, channels, height, width), y (rows, channels, down, across), where
        down = (height - size) // stride + 1, and the same for across.

    Pixels at the right and lower edge that fill no patch are left out.

    Raises:
        ShapeError: an input is not an image with three axes, or it is smaller than a patch.

    Source: Ranzato, Huang, Boureau and LeCun, Unsupervised Learning of Invariant Feature Hierarchies with Applications
        to Object Recognition (2007).
    """

    operator = "MaxPool"

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the largest pixel of each patch."""
        self.x, self.y = x, self.per_patch("y", x)
        self.y[...] = -np.inf
        for pixel in self.pixels(x):
            np.maximum(self.y, pixel, out=self.y)
        return self.y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx: dy, added up where a pixel was the first largest of a patch."""
        dx = self.buffer("dx", like=self.x)
        dx[...] = 0
        left, share = self.per_patch("left", self.x), self.per_patch("share", self.x)
        largest = self.per_patch("largest", self.x, bool)
        np.copyto(left, dy)
        for pixel, gradient in zip(self.pixels(self.x), self.pixels(dx), strict=True):
            np.equal(pixel, self.y, out=largest)
            np.multiply(left, largest, out=share)
            np.add(gradient, share, out=gradient)
            left -= share  # passed to the first
        return dx
