"""The hyperbolic tangent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Elementwise
from mlpkit_plugins.kernels import row_order, tanh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit import Graph, Value


class Tanh(Elementwise):
    """Hyperbolic tangent, element by element.

        y  = tanh(x)
        dx = dy (1 - y²)

    Shapes: x and y alike, of any shape.

    Source: LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), section 4.4.
    """

    evaluation_context = row_order

    def function(self, x: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return tanh(x)."""
        return tanh(x, out)

    def derivative(self, x: NDArray[Any], y: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return 1 - y²."""
        np.square(y, out=out)
        np.subtract(1, out, out=out)
        return out

    def onnx(self, graph: Graph) -> Value:
        """Describe y = tanh(x)."""
        return graph.op("Tanh", graph.input)
