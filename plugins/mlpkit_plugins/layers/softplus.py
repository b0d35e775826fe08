"""The softplus."""

from __future__ import annotations

from mlpkit import Array, Graph, Value
from mlpkit_plugins.functions.activation import Activation
from mlpkit_plugins.kernels import softplus, softplus_gradient


class Softplus(Activation):
    """Softplus, a smooth rectified linear unit, element by element.

        y  = log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))
        dx = dy σ(x),  σ(x) = 1 / (1 + exp(-x))

    The second form never overflows, and keeps its digits for large negative x.

    Shapes: x of any shape, y of the same shape.

    Source: Dugas, Bengio, Bélisle, Nadeau and Garcia, Incorporating Second-Order Functional Knowledge for Better
        Option Pricing (2001).
    """

    def function(self, x: Array, out: Array) -> Array:
        """Return max(x, 0) + log(1 + exp(-|x|))."""
        return softplus(x, out)

    def gradient(self, dy: Array | float, x: Array, y: Array, out: Array) -> Array:
        """Return dy σ(x)."""
        return softplus_gradient(dy, x, out)

    def onnx(self, graph: Graph) -> Value:
        """Describe y = log(1 + exp(x))."""
        return graph.op("Softplus", graph.input)
