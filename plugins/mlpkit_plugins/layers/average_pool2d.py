"""The mean of each patch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Layer
from mlpkit_plugins.functions.patches import Patches

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AveragePool2d(Layer):
    """Mean pixel of each square patch of an image, channel by channel.

        y[i, j] = Σ x[i stride + p, j stride + q] / size²  (over p and q from 0 to size - 1)
        dx      = Σ dy / size²  (over the patches that x lies in)

    Args:
        size: pixels along each side of a patch.
        stride: pixels from one patch to the next, down and across; by default the size, so that none overlap.

    Shapes: x (rows, channels, height, width), y (rows, channels, down, across), where
        down = (height - size) // stride + 1, and across likewise.

    Pixels at the right and lower edge that fill no patch are left out.

    Raises:
        ShapeError: an input is no image, but has other than three axes, or it is smaller than a patch.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (1998), section
        II.A, there with a coefficient and a bias to be trained.
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
        """Return the mean pixel of each patch."""
        self.x = x
        y = self.buffer("y", (*x.shape[:2], self.patches.down, self.patches.across), like=x)
        y[...] = 0
        for pixel in self.patches.pixels():
            y += x[:, :, *pixel]
        y /= self.size**2
        return y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx: each pixel's share in the patches that it lies in."""
        dx = self.buffer("dx", like=self.x)
        dx[...] = 0
        share = self.buffer("share", dy.shape, like=self.x)
        np.divide(dy, self.size**2, out=share)
        for pixel in self.patches.pixels():
            dx[:, :, *pixel] += share
        return dx

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with patches side by side, and with patches that overlap."""
        return [({}, (2, 4, 5)), ({"size": 3, "stride": 1}, (1, 4, 5))]
