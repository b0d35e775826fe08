"""The mish activation."""

from __future__ import annotations

from mlpkit import Array, Graph, Value
from mlpkit_plugins.functions.activation import Activation
from mlpkit_plugins.kernels import mish, mish_gradient


class Mish(Activation):
    """Mish, a smooth activation that isn't monotonic, element by element.

        y  = x t,  t = tanh(log(1 + exp(x)))
        dx = dy (t + x (1 - t²) σ(x)),  σ(x) = 1 / (1 + exp(-x))

    Computed as t = n / (n + 2), with n = exp(x) (exp(x) + 2), which needs neither logarithm nor hyperbolic tangent.

    Shapes: x of any shape, y of the same shape.

    Source: Misra, Mish: A Self Regularized Non-Monotonic Activation Function (2020), equation 1.
    """

    def function(self, x: Array, out: Array) -> Array:
        """Return x t."""
        return mish(x, out)

    def gradient(self, dy: Array | float, x: Array, y: Array, out: Array) -> Array:
        """Return dy (t + x (1 - t²) σ(x))."""
        return mish_gradient(dy, x, out)

    def onnx(self, graph: Graph) -> Value:
        """Describe y = x (n / (n + 2)); from x = 25 on, n + 2 = n to all digits."""
        e = graph.op("Exp", graph.op("Min", graph.input, 25.0))
        n = graph.op("Mul", e, graph.op("Add", e, 2.0))
        return graph.op("Mul", graph.input, graph.op("Div", n, graph.op("Add", n, 2.0)))
