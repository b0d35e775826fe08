"""The hyperbolic tangent."""

from __future__ import annotations

from mlpkit import Array, Graph, Value
from mlpkit_plugins.functions.activation import Activation
from mlpkit_plugins.kernels import tanh, tanh_gradient


class Tanh(Activation):
    """Hyperbolic tangent, element by element.

        y  = tanh(x)
        dx = dy (1 - y²)

    Shapes: x of any shape, y of the same shape.

    Source: LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), section 4.4.
    """

    def function(self, x: Array, out: Array) -> Array:
        """Return tanh(x)."""
        return tanh(x, out)

    def gradient(self, dy: Array | float, x: Array, y: Array, out: Array) -> Array:
        """Return dy (1 - y²)."""
        return tanh_gradient(dy, y, out)

    def onnx(self, graph: Graph) -> Value:
        """Describe y = tanh(x)."""
        return graph.op("Tanh", graph.input)
