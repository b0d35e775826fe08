"""Copies of a layer in a row."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge

from mlpkit import Array, Graph, Layer, Recipe, Value


class Repeat(Layer):
    """A layer several times in a row, each time with its own parameters.

        y  = fₙ(... f₂(f₁(x)))
        dx = dy ∂fₙ/∂fₙ₋₁ ... ∂f₂/∂f₁ ∂f₁/∂x

    Args:
        times: number of copies, n.
        layer: the layer that is copied.

    Shapes: x as the layer takes it, y as the last copy returns it.

    Raises:
        ShapeError: a copy can't take the output of the one before it.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.5.2, the chain rule.
    """

    times: Annotated[int, Ge(1)]
    layer: Recipe[Layer]

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Build and declare the copies."""
        self.inside = self.chain((self.layer() for _ in range(self.times)), input_shape)
        return self.inside.output_shape

    def forward(self, x: Array) -> Array:
        """Return what the last copy returns."""
        return self.inside.forward(x)

    def backward(self, dy: Array) -> Array | None:
        """Return what the first copy returns."""
        return self.inside.backward(dy)

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        return graph.chain(self.inside.layers)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with a single layer, and with several."""
        affine = {"Affine": {"units": 3}}
        block = {"Sequence": {"layers": [affine, "Sigmoid"]}}
        return [({"times": 2, "layer": affine}, (4,)), ({"times": 3, "layer": block}, (3,))]
