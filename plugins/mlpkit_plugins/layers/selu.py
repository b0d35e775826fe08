"""The scaled exponential linear unit."""

from __future__ import annotations

from mlpkit import Array, Graph, Value
from mlpkit_plugins.functions.activation import Activation
from mlpkit_plugins.kernels import selu, selu_gradient


class Selu(Activation):
    """Scaled exponential linear unit, element by element.

        y  = λ x where x > 0, else λ α (exp(x) - 1)
        dx = λ dy where x > 0, else λ dy α exp(x)

    With λ = 1.0507... and α = 1.6733..., inputs of mean 0 and variance 1 keep these from layer to layer if weights have
    mean 0 and variance 1 / fan-in (``lecun_normal``).

    Shapes: x of any shape, y of the same shape.

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, Self-Normalizing Neural Networks (2017), equation 2.
    """

    def function(self, x: Array, out: Array) -> Array:
        """Return λ (max(x, 0) + α (exp(min(x, 0)) - 1))."""
        return selu(x, out)

    def gradient(self, dy: Array | float, x: Array, y: Array, out: Array) -> Array:
        """Return λ dy where x > 0, else λ dy α exp(x)."""
        return selu_gradient(dy, x, out)

    def onnx(self, graph: Graph) -> Value:
        """Describe y, with the constants of ONNX, which are λ and α."""
        return graph.op("Selu", graph.input)
