"""The logistic sigmoid."""

from __future__ import annotations

from mlpkit import Array, Graph, Value
from mlpkit_plugins.functions.activation import Activation
from mlpkit_plugins.kernels import sigmoid, sigmoid_gradient


class Sigmoid(Activation):
    """Logistic sigmoid, element by element.

        y  = 1 / (1 + exp(-x)) = exp(min(x, 0)) / (1 + exp(-|x|))
        dx = dy y (1 - y)

    The second form never overflows, and is exact to rounding for large negative x too.

    Shapes: x of any shape, y of the same shape.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 3.10.
    """

    def function(self, x: Array, out: Array) -> Array:
        """Return σ(x)."""
        return sigmoid(x, out)

    def gradient(self, dy: Array | float, x: Array, y: Array, out: Array) -> Array:
        """Return dy y (1 - y)."""
        return sigmoid_gradient(dy, y, out)

    def onnx(self, graph: Graph) -> Value:
        """Describe y = σ(x)."""
        return graph.op("Sigmoid", graph.input)
