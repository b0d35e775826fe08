"""Vectors for categories."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from mlpkit import Array, Graph, InitializerLike, InputShape, Layer, ShapeError, Value

LARGEST_SIZE: Final = 600


class Embedding(Layer):
    """Replaces the index of each category by its trained vector.

        y   = (E₁[x₁], E₂[x₂], ...)
        dEᵢ[v] = Σ dyᵢ  (over the rows of the minibatch with xᵢ = v)

    Each column has its own vectors. The index 0 means a missing or unknown category, and so does any number that isn't
    an index of the column. Indices get no gradient.

    Args:
        size: the length of a vector; auto for min(600, round(1.6 n^0.56)) in a column of n indices.
        values: how many indices each column has; by default the data set's, if the layer is at the network's input, or
            in ``Columns`` there.
        weights: first values of the vectors, which are in one array E, column after column; N(0, 1) by default.

    Shapes: x (rows, columns), y (rows, total length of the vectors).

    Raises:
        ShapeError: inputs aren't a row of indices, or the number of indices isn't known.

    Source: Guo and Berkhahn, Entity Embeddings of Categorical Variables (2016); Howard and Gugger, fastai: A Layered
        API for Deep Learning (2020), for the length.
    """

    takes_indices: ClassVar[bool] = True

    size: Annotated[int, Ge(1)] | Literal["auto"] = "auto"
    _: KW_ONLY
    values: tuple[Annotated[int, Ge(1)], ...] | None = None
    weights: InitializerLike | None = None

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare E."""
        self.counts = self._counts(input_shape)
        self.sizes = [self._size(count) for count in self.counts]
        elements = sum(count * size for count, size in zip(self.counts, self.sizes, strict=True))
        weights = {"normal": {"std": 1.0}} if self.weights is None else self.weights
        self.E = self.parameter("E", (elements,), weights)
        return (sum(self.sizes),)

    def forward(self, x: Array) -> Array:
        """Return y = (E₁[x₁], E₂[x₂], ...)."""
        counts, columns, sizes, begins = self._layout()
        indices = x.astype(np.intp)
        indices[(indices < 0) | (indices >= counts)] = 0
        self.places = indices[:, columns] * sizes + begins
        return np.take(self.E.value, self.places, out=self.buffer("y", self.places.shape), mode="clip")

    def backward(self, dy: Array) -> Array | None:
        """Set dE, and return dx = 0."""
        if self.needs_parameter_gradients:
            self.E.grad[...] = np.bincount(self.places.ravel(), dy.ravel(), minlength=self.E.shape[0])
        if not self.needs_input_gradient:
            return None
        dx = self.buffer("dx", (len(dy), len(self.counts)))
        dx[...] = 0
        return dx

    def onnx(self, graph: Graph) -> Value:
        """Describe y as a Gather of places in E."""
        counts, columns, sizes, begins = self._layout()
        given = graph.cast(graph.input, np.int64)
        wrong = graph.op("Or", graph.op("Less", given, 0), graph.op("GreaterOrEqual", given, counts))
        indices = graph.op("Where", wrong, 0, given)
        places = graph.op("Add", graph.op("Mul", graph.op("Gather", indices, columns, axis=1), sizes), begins)
        return graph.op("Gather", self.E, places)

    def flops(self, input_shape: tuple[int, ...]) -> int:
        """Return one for each element of y: its addition in backward."""
        return sum(self.sizes)

    def _layout(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the indices per column; and for each element of y its column, size, and place for index 0 in E."""
        counts, sizes = np.array(self.counts), np.array(self.sizes)
        columns = np.repeat(np.arange(len(sizes)), sizes)
        within = np.concatenate([np.arange(size) for size in self.sizes])
        begins = np.concatenate([[0], np.cumsum(counts * sizes)[:-1]])
        return counts, columns, sizes[columns], begins[columns] + within

    def _size(self, count: int) -> int:
        return min(LARGEST_SIZE, round(1.6 * count**0.56)) if self.size == "auto" else self.size

    def _counts(self, input_shape: tuple[int, ...]) -> list[int]:
        """Return how many indices each column has."""
        (columns,) = self.expect_rank(input_shape, 1)
        who = self.path or self.type_name
        if self.values is not None:
            if len(self.values) != columns:
                message = f"{who} has {len(self.values)} values, and its inputs {columns} columns"
                raise ShapeError(message, expected="one for each column")
            return list(self.values)
        found = input_shape.columns if isinstance(input_shape, InputShape) else ()
        if not found or any(column.holds != "categories" for column in found):
            other = next((column for column in found if column.holds != "categories"), None)
            holds = f"column '{other.name}' holds {other.holds}" if other else "they come from no columns of the data"
            raise ShapeError(
                f"{who} can't know how many categories its inputs have: {holds}",
                expected="indices of categories alone",
                remedy="set categories: index in the data set, and put it into Columns: {categories: [...]} at the "
                "network's input; or give values",
            )
        return [column.values for column in found]

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show vectors of one length, and of lengths that depend on the number of indices."""
        return [({"size": 3, "values": [4, 2]}, (2,)), ({"values": [20, 3, 7]}, (3,))]
