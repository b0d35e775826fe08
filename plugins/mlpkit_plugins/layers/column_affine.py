"""An affine map of each column."""

from __future__ import annotations

from dataclasses import KW_ONLY
from itertools import accumulate, pairwise
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Graph, InitializerLike, InputShape, ShapeError, Value
from mlpkit_plugins.kernels import product, product_plus_row
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer


class ColumnAffine(MatrixLayer):
    """A separate affine map of each column: from the elements that encode it to a vector.

        y_k  = x_k W_k + b_k
        dW_k = x_kᵀ dy_k
        db_k = Σ dy_k  (over the rows of the minibatch)
        dx_k = dy_k W_kᵀ

    With the encoding ``piecewise_linear``, with or without a ``Relu`` after it, this is the piecewise linear embedding
    of numbers.

    Args:
        size: the length of y_k.
        widths: how many elements each column has; by default the data set's, if the layer is at the network's input, or
            in ``Columns`` there.
        weights: first values of W, shape (elements, size), column after column. The fan-in is the largest width.
        biases: first values of b, shape (columns, size), never decayed.

    Shapes: x (rows, elements), y (rows, columns · size), the elements of a column together.

    Raises:
        ShapeError: inputs aren't a row of elements, or it isn't known which elements belong to a column.

    Source: Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features in Tabular Deep Learning (2022),
        section 3.2.
    """

    size: Annotated[int, Ge(1)] = 16
    _: KW_ONLY
    widths: tuple[Annotated[int, Ge(1)], ...] | None = None
    weights: InitializerLike = "fan_in_uniform"
    biases: InitializerLike = "fan_in_uniform"

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare W and b."""
        (elements,) = self.expect_rank(input_shape, 1, remedy="put Flatten before it")
        widths = self._widths(input_shape)
        self.columns = [slice(*bounds) for bounds in pairwise(accumulate(widths, initial=0))]
        self.mapped = [slice(k * self.size, (k + 1) * self.size) for k in range(len(widths))]
        fans = (max(widths), self.size)
        self.W = self.parameter("W", (elements, self.size), self.weights, fans=fans)
        self.b = self.parameter("b", (len(widths), self.size), self.biases, fans=fans, decay=False)
        return (len(widths) * self.size,)

    def forward(self, x: Array) -> Array:
        """Return y_k = x_k W_k + b_k."""
        self.x = x
        y = self.buffer("y", (len(x), len(self.columns) * self.size))
        for column, mapped, b in zip(self.columns, self.mapped, self.b.value, strict=True):
            product_plus_row(x[:, column], self.W.value[column], b, y[:, mapped])
        return y

    def backward(self, dy: Array) -> Array | None:
        """Set dW and db, and return dx_k = dy_k W_kᵀ."""
        if self.needs_parameter_gradients:
            for column, mapped in zip(self.columns, self.mapped, strict=True):
                product(self.x[:, column].T, dy[:, mapped], self.W.grad[column])
            np.sum(dy.reshape(len(dy), *self.b.shape), axis=0, out=self.b.grad)
        if not self.needs_input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        for column, mapped in zip(self.columns, self.mapped, strict=True):
            product(dy[:, mapped], self.W.value[column].T, dx[:, column])
        return dx

    def onnx(self, graph: Graph) -> Value:
        """Describe y: a Gemm for each column."""
        parts = []
        for column, b in zip(self.columns, self.b.value, strict=True):
            x = graph.op("Gather", graph.input, np.arange(column.start, column.stop), axis=1)
            parts.append(graph.op("Gemm", x, self.W.value[column], b))
        return graph.op("Concat", *parts, axis=1)

    def _widths(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return how many elements each column has."""
        (elements,) = input_shape
        who = self.path or self.type_name
        if self.widths is not None:
            if sum(self.widths) != elements:
                message = f"{who} has widths of {sum(self.widths)} elements in all, and its inputs have {elements}"
                raise ShapeError(message, expected="a width for each column of the inputs")
            return self.widths
        columns = input_shape.columns if isinstance(input_shape, InputShape) else ()
        if not columns:
            raise ShapeError(
                f"{who} can't know which of its inputs belong to a column",
                expected="to be at the network's input, or in Columns there, and a data set of named columns",
                remedy="write Columns: {numbers: [ColumnAffine]} as the first of the layers, and take the data from a "
                "table, such as csv; or give widths",
            )
        return tuple(column.width for column in columns)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show columns of different widths, and of one element each."""
        return [({"size": 3, "widths": [4, 1, 2]}, (7,)), ({"size": 2, "widths": [1, 1]}, (2,))]
