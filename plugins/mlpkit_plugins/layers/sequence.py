"""Several layers in a row."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import MinLen

from mlpkit import Array, Graph, Layer, Value


class Sequence(Layer):
    """Several layers in a row as one layer: each takes the output of the one before it.

        y  = fₙ(... f₂(f₁(x)))
        dx = dy ∂fₙ/∂fₙ₋₁ ... ∂f₂/∂f₁ ∂f₁/∂x

    Args:
        layers: the layers f₁ to fₙ, in order.

    Shapes: x as the first layer takes it, y as the last one returns it.

    Raises:
        ShapeError: a layer can't take the output of the one before it.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.5.2, the chain rule.
    """

    layers: Annotated[list[Layer], MinLen(1)]

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare the layers inside."""
        self.inside = self.chain(self.layers, input_shape)
        return self.inside.output_shape

    def forward(self, x: Array) -> Array:
        """Return what the last layer returns."""
        return self.inside.forward(x)

    def backward(self, dy: Array) -> Array | None:
        """Return what the first layer returns."""
        return self.inside.backward(dy)

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        return graph.chain(self.inside.layers)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with other layers inside, and with itself."""
        affine = {"Affine": {"units": 3}}
        return [({"layers": [affine, "Relu"]}, (4,)), ({"layers": [{"Sequence": {"layers": ["Sigmoid"]}}]}, (2, 3))]
