"""A trained scale of each feature."""

from __future__ import annotations

from typing import Any

from mlpkit import Array, Graph, Layer, Value
from mlpkit_plugins.functions.rows import scale_rows, sum_row_products


class Scale(Layer):
    """Scales each feature by a trained factor; in front of a network, it learns which inputs matter.

        y  = s ∘ x
        ds = Σ dy ∘ x  (over the rows of the minibatch)
        dx = s ∘ dy

    Shapes: x of any shape, y of the same shape; s, initially one, of the shape of an example, never decayed.

    Source: Holzmüller, Grinsztajn and Steinwart, Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
        Data (2024), section 3, where s has six times the learning rate.
    """

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare s."""
        self.s = self.parameter("s", input_shape, 1.0, decay=False)
        return input_shape

    def forward(self, x: Array) -> Array:
        """Return y = s ∘ x."""
        self.x = x
        return scale_rows(x, self.s.value, self.buffer("y", x.shape))

    def backward(self, dy: Array) -> Array:
        """Set ds, and return dx = s ∘ dy."""
        if self.needs_parameter_gradients:
            sum_row_products(dy, self.x, self.buffer("products", dy.shape), self.s.grad)
        return scale_rows(dy, self.s.value, self.buffer("dx", dy.shape))

    def onnx(self, graph: Graph) -> Value:
        """Describe y = s ∘ x."""
        return graph.op("Mul", graph.input, self.s)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features and on an image."""
        return [({}, (4,)), ({}, (2, 3))]
