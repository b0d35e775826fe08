"""The rectified linear unit."""

from __future__ import annotations

import numpy as np

from mlpkit import Array, Elementwise, Graph, Value
from mlpkit_plugins.kernels import keep_where_positive, rectify, row_order


class Relu(Elementwise):
    """Rectified linear unit, element by element.

        y  = max(x, 0)
        dx = dy where x > 0, else 0

    Shapes: x of any shape, y of the same shape.

    Source: Nair and Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines (2010).
    """

    evaluation_context = row_order

    def function(self, x: Array, out: Array) -> Array:
        """Return max(x, 0)."""
        return rectify(x, out)

    def derivative(self, x: Array, y: Array, out: Array) -> Array:
        """Return 1 where y > 0, else 0."""
        return np.greater(y, 0, out=out)

    def backward(self, dy: Array) -> Array:
        """Return dy where y > 0, else 0, in one pass over memory."""
        return keep_where_positive(dy, self.y, dy)

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        return graph.op("Relu", graph.input)
