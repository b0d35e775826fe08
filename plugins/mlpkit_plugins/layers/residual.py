"""A shortcut around layers."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import MinLen

from mlpkit import Array, Graph, Layer, ShapeError, Value


class Residual(Layer):
    """Adds the outputs of the layers inside to their inputs.

        y  = x + f(x),  f(x) = fₙ(... f₂(f₁(x)))
        dx = dy + dy ∂f/∂x

    Args:
        layers: the layers f₁ to fₙ, in order; the last returns the shape that the first takes.

    Shapes: x as the first layer takes it, y the same.

    Raises:
        ShapeError: the layers inside change the shape, or one can't take the output of the one before it.

    Source: He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition (2016), section 3.2, equation 1.
    """

    layers: Annotated[list[Layer], MinLen(1)]

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare the layers inside, which must keep the shape."""
        self.inside = self.chain(self.layers, input_shape)
        output_shape = self.inside.output_shape
        if output_shape != input_shape:
            who = self.path or self.type_name
            raise ShapeError(
                f"{who} can't add outputs of shape {output_shape} to inputs of shape {input_shape}",
                expected=f"layers inside that return shape {input_shape}",
                remedy="change the last of them, or put a layer after them that restores the shape",
            )
        return input_shape

    def forward(self, x: Array) -> Array:
        """Return y = x + f(x)."""
        y = self.buffer("y", like=x)
        np.add(x, self.inside.forward(x), out=y)
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return dx = dy + dy ∂f/∂x."""
        df = self.buffer("df", like=dy)
        np.copyto(df, dy)  # the layers inside may overwrite their dy, and it is needed once more
        dx = self.inside.backward(df)
        if dx is None:
            return None
        np.add(dy, dx, out=dy)
        return dy

    def onnx(self, graph: Graph) -> Value:
        """Describe y = x + f(x)."""
        return graph.op("Add", graph.input, graph.chain(self.inside.layers))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with trained layers inside, and on an image."""
        affine = {"Affine": {"units": 4}}
        return [({"layers": ["Relu", affine]}, (4,)), ({"layers": ["Sigmoid"]}, (2, 3))]
