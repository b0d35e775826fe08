"""The softplus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Layer
from mlpkit_plugins.functions.sigmoid import sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Softplus(Layer):
    """Softplus, a smooth rectified linear unit, element by element.

        y  = log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))
        dx = dy σ(x),  σ(x) = 1 / (1 + exp(-x))

    The second form never overflows, and keeps its digits for large negative x.

    Shapes: x and y alike, of any shape.

    Source: Dugas, Bengio, Bélisle, Nadeau and Garcia, Incorporating Second-Order Functional Knowledge for Better
        Option Pricing (2001).
    """

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = max(x, 0) + log(1 + exp(-|x|))."""
        self.x = x
        rest = np.abs(x, out=self.buffer("scratch", x.shape, like=x))
        np.negative(rest, out=rest)
        np.exp(rest, out=rest)
        np.log1p(rest, out=rest)
        y = self.buffer("y", x.shape, gaps=True, like=x)
        np.maximum(x, 0, out=y)
        np.add(y, rest, out=y)
        return y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx = dy σ(x)."""
        slope = self.buffer("slope", dy.shape, like=dy)
        dy *= sigmoid(self.x, slope, numerator=slope, denominator=self.buffer("scratch", dy.shape, like=dy))
        return dy

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features and on an image."""
        return [({}, (6,)), ({}, (2, 3))]
