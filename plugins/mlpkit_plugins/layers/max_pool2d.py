"""Max pooling."""

from __future__ import annotations

from collections.abc import Callable

from mlpkit import Array
from mlpkit_plugins.functions.patches import IN_MEMORY, Pool2d, in_memory, put_in_memory
from mlpkit_plugins.kernels import max_pool, max_pool_gradient


class MaxPool2d(Pool2d):
    """Largest pixel of each square patch of an image, channel by channel.

        y[i, j] = max x[i stride + p, j stride + q]  (over p and q from 0 to size - 1)
        dx      = Σ dy  (over the patches whose largest pixel is x, the first one if several are equal)

    Shapes: x (rows, channels, height, width), y (rows, channels, down, across), where
        down = (height - size) // stride + 1, and the same for across.

    Pixels at the right and lower edges that fill no patch are ignored.

    Raises:
        ShapeError: an input is not an image with three axes, or it is smaller than a patch.

    Source: Ranzato, Huang, Boureau and LeCun, Unsupervised Learning of Invariant Feature Hierarchies with Applications
        to Object Recognition (2007).
    """

    operator = "MaxPool"

    def forward(self, x: Array) -> Array:
        """Return the largest pixel of each patch."""
        return self.prediction_plan(x)()

    def prediction_plan(self, x: Array) -> Callable[[], Array]:
        """Return a function that pools x again."""
        images = put_in_memory(self, "x", x)
        y = self.buffer("y", (self.patches.across, x.shape[1], self.patches.down, len(x)))
        turned = y.transpose(IN_MEMORY)

        def again() -> Array:
            self.x, self.y = images(), y
            max_pool(self.x, self.patches.size, self.patches.stride, y)
            return turned

        return again

    def backward(self, dy: Array) -> Array:
        """Return dx, the sum of dy over the patches whose first largest pixel it is."""
        dy, dx = in_memory(self, "dy", dy), self.buffer("dx", self.x.shape)
        max_pool_gradient(self.x, self.y, dy, self.patches.size, self.patches.stride, dx)
        return dx.transpose(IN_MEMORY)
