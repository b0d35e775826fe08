"""The hyperbolic tangent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Tanh(Layer):
    """Hyperbolic tangent, element by element.

        y  = tanh(x)
        dx = dy (1 - y²)

    Shapes: x and y alike, of any shape.

    Source: LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), section 4.4.
    """

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = tanh(x)."""
        self.y = self.buffer("y", x.shape, gaps=True, like=x)
        np.tanh(x, out=self.y)
        return self.y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx = dy (1 - y²)."""
        slope = np.square(self.y, out=self.buffer("slope", self.y.shape, like=self.y))
        np.subtract(1, slope, out=slope)
        dy *= slope
        return dy

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features and on an image."""
        return [({}, (6,)), ({}, (2, 3))]
