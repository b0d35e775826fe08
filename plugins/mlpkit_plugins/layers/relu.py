"""The rectified linear unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Elementwise
from mlpkit_plugins.kernels import keep_where_positive, rectify, row_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit import Graph, Value


class Relu(Elementwise):
    """Rectified linear unit, element by element.

        y  = max(x, 0)
        dx = dy where x > 0, else 0

    Shapes: x and y alike, of any shape.

    Source: Nair and Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines (2010).
    """

    evaluation_context = row_order

    def function(self, x: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return max(x, 0)."""
        return rectify(x, out)

    def derivative(self, x: NDArray[Any], y: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return 1 where y > 0, else 0."""
        np.greater(y, 0, out=out)
        return out

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        return graph.op("Relu", graph.input)

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx, in one pass over memory."""
        return keep_where_positive(dy, self.y, dy)
