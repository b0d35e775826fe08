"""The logistic sigmoid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Elementwise
from mlpkit_plugins.kernels import row_order, sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit import Graph, Value


class Sigmoid(Elementwise):
    """Logistic sigmoid, element by element.

        y  = 1 / (1 + exp(-x)) = exp(min(x, 0)) / (1 + exp(-|x|))
        dx = dy y (1 - y)

    The second form never overflows, and is exact to rounding for large negative x too.

    Shapes: x and y alike, of any shape.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 3.10.
    """

    evaluation_context = row_order

    def function(self, x: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return σ(x)."""
        return sigmoid(x, out)

    def derivative(self, x: NDArray[Any], y: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return y (1 - y)."""
        np.subtract(1, y, out=out)
        np.multiply(out, y, out=out)
        return out

    def onnx(self, graph: Graph) -> Value:
        """Describe y = σ(x)."""
        return graph.op("Sigmoid", graph.input)
