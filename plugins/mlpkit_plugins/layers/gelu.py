"""The Gaussian error linear unit."""

from __future__ import annotations

from math import sqrt

from mlpkit import Array, Graph, Value
from mlpkit_plugins.functions.activation import Activation
from mlpkit_plugins.kernels import gelu, gelu_gradient


class Gelu(Activation):
    """Gaussian error linear unit, element by element: x times the standard normal distribution function at x.

        y  = x Φ(x),  Φ(x) = (1 + erf(x / √2)) / 2
        dx = dy (Φ(x) + x φ(x)),  φ(x) = exp(-x²/2) / √(2π)

    This is the exact form with erf, not the approximation with tanh.

    Shapes: x of any shape, y of the same shape.

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units (2016), section 2.
    """

    def function(self, x: Array, out: Array) -> Array:
        """Return x Φ(x)."""
        return gelu(x, out)

    def gradient(self, dy: Array | float, x: Array, y: Array, out: Array) -> Array:
        """Return dy (Φ(x) + x φ(x))."""
        return gelu_gradient(dy, x, out)

    def onnx(self, graph: Graph) -> Value:
        """Describe y = x (1 + erf(x / √2)) / 2."""
        erf = graph.op("Erf", graph.op("Div", graph.input, sqrt(2)))
        return graph.op("Mul", graph.input, graph.op("Mul", graph.op("Add", erf, 1.0), 0.5))
