"""The largest of each patch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Layer
from mlpkit_plugins.functions.patches import Patches

if TYPE_CHECKING:
    from numpy.typing import NDArray


class MaxPool2d(Layer):
    """Largest pixel of each square patch of an image, channel by channel.

        y[i, j] = max x[i stride + p, j stride + q]  (over p and q from 0 to size - 1)
        dx      = Σ dy  (over the patches that x is the largest pixel of, the first one where several are equal)

    Args:
        size: pixels along each side of a patch.
        stride: pixels from one patch to the next, down and across; by default the size, so that none overlap.

    Shapes: x (rows, channels, height, width), y (rows, channels, down, across), where
        down = (height - size) // stride + 1, and across likewise.

    Pixels at the right and lower edge that fill no patch are left out.

    Raises:
        ShapeError: an input is no image, but has other than three axes, or it is smaller than a patch.

    Source: Ranzato, Huang, Boureau and LeCun, Unsupervised Learning of Invariant Feature Hierarchies with Applications
        to Object Recognition (2007).
    """

    def __init__(self, size: Annotated[int, Ge(1)] = 2, *, stride: Annotated[int, Ge(1)] | None = None) -> None:
        self.size = size
        self.stride = stride

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Count the patches."""
        remedy = "put Reshape: {shape: [channels, height, width]} before it"
        channels, height, width = self.expect_rank(input_shape, 3, remedy=remedy)
        self.patches = Patches.of(self.path or self.type_name, height, width, self.size, self.stride or self.size)
        return (channels, self.patches.down, self.patches.across)

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the largest pixel of each patch."""
        self.x = x
        self.y = self.buffer("y", (*x.shape[:2], self.patches.down, self.patches.across), like=x)
        self.y[...] = -np.inf
        for pixel in self.patches.pixels():
            np.maximum(self.y, x[:, :, *pixel], out=self.y)
        return self.y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx: what of dy each pixel was the first largest for."""
        dx = self.buffer("dx", like=self.x)
        dx[...] = 0
        left, share = (self.buffer(name, dy.shape, like=self.x) for name in ("left", "share"))
        largest = self.buffer("largest", dy.shape, bool, like=self.x)
        np.copyto(left, dy)
        for pixel in self.patches.pixels():
            np.equal(self.x[:, :, *pixel], self.y, out=largest)
            np.multiply(left, largest, out=share)
            dx[:, :, *pixel] += share
            left -= share  # handed on to the first
        return dx

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with patches side by side, and with patches that overlap."""
        return [({}, (2, 4, 5)), ({"size": 3, "stride": 1}, (1, 4, 5))]
