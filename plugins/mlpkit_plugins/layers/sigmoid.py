"""The logistic sigmoid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Layer
from mlpkit_plugins.functions.sigmoid import sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Sigmoid(Layer):
    """Logistic sigmoid, element by element.

        y  = 1 / (1 + exp(-x)) = exp(min(x, 0)) / (1 + exp(-|x|))
        dx = dy y (1 - y)

    The second form never overflows, and is exact to rounding for large negative x too.

    Shapes: x and y alike, of any shape.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 3.10.
    """

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = exp(min(x, 0)) / (1 + exp(-|x|))."""
        self.y = self.buffer("y", x.shape, gaps=True, like=x)
        numerator, denominator = self.buffer("numerator", x.shape, like=x), self.buffer("denominator", x.shape, like=x)
        return sigmoid(x, self.y, numerator=numerator, denominator=denominator)

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx = dy y (1 - y)."""
        slope = np.subtract(1, self.y, out=self.buffer("slope", self.y.shape, like=self.y))
        np.multiply(slope, self.y, out=slope)
        dy *= slope
        return dy

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features and on an image."""
        return [({}, (6,)), ({}, (2, 3))]
