"""The exponential linear unit."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Gt

from mlpkit import Array, Graph, Value
from mlpkit_plugins.functions.activation import Activation
from mlpkit_plugins.kernels import elu, elu_gradient


class Elu(Activation):
    """Exponential linear unit, element by element.

        y  = x where x > 0, else alpha (exp(x) - 1)
        dx = dy where x > 0, else dy alpha exp(x)

    Args:
        alpha: outputs for large negative inputs are -alpha.

    Shapes: x of any shape, y of the same shape.

    Source: Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by Exponential Linear Units
        (2016).
    """

    alpha: Annotated[float, Gt(0)] = 1.0

    def function(self, x: Array, out: Array) -> Array:
        """Return max(x, 0) + alpha (exp(min(x, 0)) - 1)."""
        return elu(x, self.alpha, out)

    def gradient(self, dy: Array | float, x: Array, y: Array, out: Array) -> Array:
        """Return dy where x > 0, else dy alpha exp(x)."""
        return elu_gradient(dy, x, self.alpha, out)

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        return graph.op("Elu", graph.input, alpha=self.alpha)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the default alpha on features, and a larger one on an image."""
        return [({}, (6,)), ({"alpha": 1.5}, (2, 3))]
