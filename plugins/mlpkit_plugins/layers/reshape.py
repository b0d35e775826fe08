"""Features in another shape."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Graph, Layer, ShapeError, Value


class Reshape(Layer):
    """Gives the features of an example another shape, in the same order, the last axis fastest.

        y = x,  dx = dy  (read in row-major order, each in its own shape)

    Args:
        shape: the new shape without the batch axis; [] for a single number per example.

    Shapes: x of any shape, y (rows, *shape), with the same number of elements.

    Raises:
        ShapeError: the inputs have another number of elements.

    Source: Knuth, The Art of Computer Programming, volume 1 (third edition, 1997), section 2.2.6, for the order.
    """

    shape: list[Annotated[int, Ge(1)]]

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Require the same number of elements."""
        shape = tuple(self.shape)
        if prod(shape) != prod(input_shape):
            raise ShapeError(
                f"{self.path or self.type_name} can't give inputs of shape {input_shape} the shape {shape}",
                expected=f"a shape of {prod(input_shape)} elements in place of {prod(shape)}",
            )
        return shape

    def forward(self, x: Array) -> Array:
        """Return x in the new shape."""
        self.shape_before = x.shape
        return x.reshape(len(x), *self.shape)

    def prediction_plan(self, x: Array) -> Callable[[], Array] | None:
        """Return a function that returns the same view of x; None if y is a copy."""
        y = self.forward(x)
        return (lambda: y) if np.may_share_memory(x, y) else None

    def backward(self, dy: Array) -> Array:
        """Return dy in the shape of x."""
        return dy.reshape(self.shape_before)

    def onnx(self, graph: Graph) -> Value:
        """Describe y; a 0 in the shape keeps the number of rows."""
        return graph.op("Reshape", graph.input, np.array([0, *self.shape]))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show features turned into an image, and the reverse."""
        return [({"shape": [2, 3]}, (6,)), ({"shape": [8]}, (2, 4))]
