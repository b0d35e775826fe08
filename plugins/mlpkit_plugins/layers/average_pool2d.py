"""Average pooling."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from mlpkit import Array
from mlpkit_plugins.functions.patches import Pool2d
from mlpkit_plugins.kernels import average_pool


class AveragePool2d(Pool2d):
    """Mean pixel of each square patch of an image, channel by channel.

        y[i, j] = Σ x[i stride + p, j stride + q] / size²  (over p and q from 0 to size - 1)
        dx      = Σ dy / size²  (over the patches that contain x)

    Shapes: x (rows, channels, height, width), y (rows, channels, down, across), where
        down = (height - size) // stride + 1, and the same for across.

    Pixels at the right and lower edges that fill no patch are ignored.

    Raises:
        ShapeError: an input is not an image with three axes, or it is smaller than a patch.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (1998), section
        II.A, where the mean has a trained coefficient and bias.
    """

    operator = "AveragePool"

    def forward(self, x: Array) -> Array:
        """Return the mean pixel of each patch."""
        self.x = x
        return self.prediction_plan(x)()

    def prediction_plan(self, x: Array) -> Callable[[], Array]:
        """Return a function that pools x again."""
        return partial(average_pool, x, self.patches.size, self.patches.stride, self.per_patch("y", x))

    def backward(self, dy: Array) -> Array:
        """Return dx, the sum of dy / size² over the patches that contain a pixel."""
        dx = self.buffer("dx", like=self.x)
        dx[...] = 0
        share = np.divide(dy, self.size**2, out=self.per_patch("share", self.x))
        for gradient in self.pixels(dx):
            np.add(gradient, share, out=gradient)
        return dx
