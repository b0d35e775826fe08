"""The sigmoid linear unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Layer
from mlpkit_plugins.functions.sigmoid import sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Silu(Layer):
    """Sigmoid linear unit, also called swish, element by element.

        y  = x σ(x),  σ(x) = 1 / (1 + exp(-x))
        dx = dy σ(x) (1 + x (1 - σ(x)))

    Shapes: x and y alike, of any shape.

    Source: Elfwing, Uchibe and Doya, Sigmoid-Weighted Linear Units for Neural Network Function Approximation in
        Reinforcement Learning (2018).
    """

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = x σ(x)."""
        self.x = x
        self.s = self.buffer("s", x.shape, like=x)
        sigmoid(x, self.s, numerator=self.s, denominator=self.buffer("denominator", x.shape, like=x))
        y = self.buffer("y", x.shape, gaps=True, like=x)
        np.multiply(x, self.s, out=y)
        return y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx = dy σ(x) (1 + x (1 - σ(x)))."""
        slope = np.subtract(1, self.s, out=self.buffer("slope", self.s.shape, like=self.s))
        np.multiply(slope, self.x, out=slope)
        np.add(slope, 1, out=slope)
        np.multiply(slope, self.s, out=slope)
        dy *= slope
        return dy

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features and on an image."""
        return [({}, (6,)), ({}, (2, 3))]
