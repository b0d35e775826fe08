"""The exponential linear unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Gt

from mlpkit import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Elu(Layer):
    """Exponential linear unit, element by element.

        y  = x where x > 0, else alpha (exp(x) - 1)
        dx = dy where x > 0, else dy alpha exp(x)

    Args:
        alpha: outputs for large negative inputs are -alpha.

    Shapes: x and y alike, of any shape.

    Source: Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by Exponential Linear Units
        (2016).
    """

    def __init__(self, alpha: Annotated[float, Gt(0)] = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = max(x, 0) + alpha (exp(min(x, 0)) - 1)."""
        self.x = x
        below = np.minimum(x, 0, out=self.buffer("below", x.shape, like=x))
        np.expm1(below, out=below)  # exp(x) - 1 would lose the digits of a small x
        np.multiply(below, self.alpha, out=below)
        y = self.buffer("y", x.shape, gaps=True, like=x)
        np.maximum(x, 0, out=y)
        np.add(y, below, out=y)
        return y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx: dy, and dy alpha exp(x) where x is not positive."""
        slope = np.minimum(self.x, 0, out=self.buffer("below", dy.shape, like=dy))
        np.exp(slope, out=slope)
        np.multiply(slope, self.alpha, out=slope)
        negative = np.less_equal(self.x, 0, out=self.buffer("negative", dy.shape, bool, like=dy))
        np.multiply(dy, slope, out=dy, where=negative)
        return dy

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with its alpha and with a larger one, on features and on an image."""
        return [({}, (6,)), ({"alpha": 1.5}, (2, 3))]
