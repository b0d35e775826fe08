"""The sigmoid linear unit."""

from __future__ import annotations

from mlpkit import Array, Graph, Value
from mlpkit_plugins.functions.activation import Activation
from mlpkit_plugins.kernels import silu, silu_gradient


class Silu(Activation):
    """Sigmoid linear unit, also called swish, element by element.

        y  = x σ(x),  σ(x) = 1 / (1 + exp(-x))
        dx = dy σ(x) (1 + x (1 - σ(x)))

    Shapes: x of any shape, y of the same shape.

    Source: Elfwing, Uchibe and Doya, Sigmoid-Weighted Linear Units for Neural Network Function Approximation in
        Reinforcement Learning (2018).
    """

    def function(self, x: Array, out: Array) -> Array:
        """Return x σ(x)."""
        return silu(x, out)

    def gradient(self, dy: Array | float, x: Array, y: Array, out: Array) -> Array:
        """Return dy σ(x) (1 + x (1 - σ(x)))."""
        return silu_gradient(dy, x, out)

    def onnx(self, graph: Graph) -> Value:
        """Describe y = x σ(x)."""
        return graph.op("Mul", graph.input, graph.op("Sigmoid", graph.input))
