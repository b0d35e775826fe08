"""The sigmoid linear unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Elementwise
from mlpkit_plugins.kernels import row_order, sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit import Graph, Value


class Silu(Elementwise):
    """Sigmoid linear unit, also called swish, element by element.

        y  = x σ(x),  σ(x) = 1 / (1 + exp(-x))
        dx = dy σ(x) (1 + x (1 - σ(x)))

    Shapes: x and y alike, of any shape.

    Source: Elfwing, Uchibe and Doya, Sigmoid-Weighted Linear Units for Neural Network Function Approximation in
        Reinforcement Learning (2018).
    """

    evaluation_context = row_order

    def function(self, x: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return x σ(x)."""
        self.s = sigmoid(x, np.empty_like(x))
        np.multiply(x, self.s, out=out)
        return out

    def derivative(self, x: NDArray[Any], y: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return σ(x) (1 + x (1 - σ(x)))."""
        np.subtract(1, self.s, out=out)
        np.multiply(out, x, out=out)
        np.add(out, 1, out=out)
        np.multiply(out, self.s, out=out)
        return out

    def onnx(self, graph: Graph) -> Value:
        """Describe y = x σ(x)."""
        return graph.op("Mul", graph.input, graph.op("Sigmoid", graph.input))
