"""The leaky rectified linear unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from mlpkit import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LeakyRelu(Layer):
    """Rectified linear unit that lets a little of what is negative through, element by element.

        y  = x where x > 0, else slope x
        dx = dy where x > 0, else slope dy

    Args:
        slope: what negative inputs are multiplied by.

    Shapes: x and y alike, of any shape.

    Source: Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models (2013).
    """

    def __init__(self, slope: Annotated[float, Ge(0), Le(1)] = 0.01) -> None:
        self.slope = slope

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y: x, and slope x where x is not positive."""
        self.x = x
        y = self.buffer("y", x.shape, gaps=True, like=x)
        np.multiply(x, self.slope, out=y)
        np.maximum(x, y, out=y)  # the larger one, as slope <= 1
        return y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx: dy, and slope dy where x is not positive."""
        below = np.less_equal(self.x, 0, out=self.buffer("below", dy.shape, bool, like=dy))
        np.multiply(dy, self.slope, out=dy, where=below)
        return dy

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with its slope and with a steeper one, on features and on an image."""
        return [({}, (6,)), ({"slope": 0.2}, (2, 3))]
