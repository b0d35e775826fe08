"""The hyperbolic tangent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit import Elementwise
from mlpkit_plugins.kernels import tanh, tanh_gradient

if TYPE_CHECKING:
    from mlpkit import Array, Graph, Value


class Tanh(Elementwise):
    """Hyperbolic tangent, element by element.

        y  = tanh(x)
        dx = dy (1 - y²)

    Shapes: x and y alike, of any shape.

    Source: LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), section 4.4.
    """

    def function(self, x: Array, out: Array) -> Array:
        """Return tanh(x)."""
        return tanh(x, out)

    def derivative(self, x: Array, y: Array, out: Array) -> Array:
        """Return 1 - y²."""
        return tanh_gradient(1.0, y, out)

    def backward(self, dy: Array) -> Array:
        """Return dx, in one pass over memory."""
        return tanh_gradient(dy, self.y, dy)

    def onnx(self, graph: Graph) -> Value:
        """Describe y = tanh(x)."""
        return graph.op("Tanh", graph.input)
