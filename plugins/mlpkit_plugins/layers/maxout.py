"""Maxout units."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Graph, InitializerLike, Units, Value
from mlpkit_plugins.functions.rows import sum_rows
from mlpkit_plugins.kernels import product, product_plus_row
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer


class Maxout(MatrixLayer):
    """The largest of several affine maps for each unit: a learned convex, piecewise linear activation.

        z     = x W + b
        y_j   = max z_kj  (over the pieces k)
        dz_kj = dy_j  for the first piece k with z_kj = y_j, else 0
        dW    = xᵀ dz,  db = Σ dz  (over the rows of the minibatch),  dx = dz Wᵀ

    Args:
        units: number of outputs, or auto for the number that the loss takes for the data's target.
        pieces: number of affine maps of each unit.
        weights: first values of W, shape (features, pieces · units), all units of the first piece first.
        biases: first values of b, shape (pieces · units,), never decayed.

    Shapes: x (rows, features), y (rows, units).

    Raises:
        ShapeError: an input is not a row of features, with exactly one axis.

    Source: Goodfellow, Warde-Farley, Mirza, Courville and Bengio, Maxout Networks (2013), section 2.
    """

    units: Units
    _: KW_ONLY
    pieces: Annotated[int, Ge(1)] = 2
    weights: InitializerLike = "lecun_normal"
    biases: InitializerLike = "zeros"

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare W and b."""
        (features,) = self.expect_rank(input_shape, 1, remedy="put Flatten before it")
        columns, fans = self.pieces * self.units, (features, self.units)
        self.W = self.parameter("W", (features, columns), self.weights, fans=fans)
        self.b = self.parameter("b", (columns,), self.biases, fans=fans, decay=False)
        return (self.units,)

    def forward(self, x: Array) -> Array:
        """Return the largest of the pieces of z = x W + b."""
        self.x = x
        z = product_plus_row(x, self.W.value, self.b.value, self.buffer("z", (len(x), self.pieces * self.units)))
        pieces = self._pieces(z)
        self.largest = np.argmax(pieces, axis=1, keepdims=True)
        return np.max(pieces, axis=1, out=self.buffer("y", (len(x), self.units)))

    def backward(self, dy: Array) -> Array | None:
        """Set dW and db, and return dx = dz Wᵀ."""
        dz = self.buffer("dz", (len(dy), self.pieces * self.units))
        dz[...] = 0
        np.put_along_axis(self._pieces(dz), self.largest, dy[:, np.newaxis], axis=1)
        if self.needs_parameter_gradients:
            product(self.x.T, dz, self.W.grad)
            sum_rows(dz, self.b.grad)
        if not self.needs_input_gradient:
            return None
        return product(dz, self.W.value.T, self.buffer("dx", self.x.shape, contiguous=False))

    def onnx(self, graph: Graph) -> Value:
        """Describe y; a 0 in a shape keeps the number of rows."""
        z = graph.op("Gemm", graph.input, self.W, self.b)
        pieces = graph.op("Reshape", z, np.array([0, self.pieces, self.units]))
        return graph.op("ReduceMax", pieces, axes=[1], keepdims=0)

    def _pieces(self, z: Array) -> Array:
        return z.reshape(len(z), self.pieces, self.units)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show two pieces, and five."""
        return [({"units": 3}, (4,)), ({"units": 2, "pieces": 5}, (6,))]
