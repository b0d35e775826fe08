"""The leaky rectified linear unit."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Le

from mlpkit import Array, Graph, Value
from mlpkit_plugins.functions.activation import Activation
from mlpkit_plugins.kernels import leaky_relu, leaky_relu_gradient


class LeakyRelu(Activation):
    """Rectified linear unit with a small slope for negative inputs, element by element.

        y  = x where x > 0, else slope x
        dx = dy where x > 0, else slope dy

    Args:
        slope: factor of negative inputs.

    Shapes: x of any shape, y of the same shape.

    Source: Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models (2013).
    """

    slope: Annotated[float, Ge(0), Le(1)] = 0.01

    def function(self, x: Array, out: Array) -> Array:
        """Return max(x, slope x): x where x > 0, since slope <= 1."""
        return leaky_relu(x, self.slope, out)

    def gradient(self, dy: Array | float, x: Array, y: Array, out: Array) -> Array:
        """Return dy where x > 0, else slope dy."""
        return leaky_relu_gradient(dy, x, self.slope, out)

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        return graph.op("LeakyRelu", graph.input, alpha=self.slope)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the default slope on features, and a steeper one on an image."""
        return [({}, (6,)), ({"slope": 0.2}, (2, 3))]
