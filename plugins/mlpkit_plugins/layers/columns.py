"""Layers for groups of columns."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import prod
from typing import Annotated, Any, NamedTuple

import numpy as np
from annotated_types import MinLen
from numpy.typing import NDArray

from mlpkit import Array, Chain, Graph, InputColumn, InputShape, Layer, ShapeError, Value

Layers = Annotated[list[Layer], MinLen(1)]


class Group(NamedTuple):
    """Columns that take the same layers.

    Args:
        name: what they hold.
        places: the positions of their elements in the inputs.
        inside: the layers that take them; None if they pass unchanged.
        outputs: the positions of the results in the outputs.
    """

    name: str
    places: NDArray[np.intp]
    inside: Chain | None
    outputs: slice


class Columns(Layer):
    """Separate layers for the inputs' numbers, dates, one-hot columns and categories.

        y  = (f₁(x₁), f₂(x₂), ...)  for the columns x₁, x₂, ... that hold numbers, dates, one-hot columns and categories
        dx = (dy₁ ∂f₁/∂x₁, dy₂ ∂f₂/∂x₂, ...)

    The data set knows what its columns hold, so this is for the input of the network. Columns without layers pass
    unchanged. The outputs of the layers form a row, in the order of the parameters.

    Args:
        numbers: the layers for columns of numbers, in order.
        dates: the layers for numbers that come from dates.
        one_hot: the layers for one-hot categories, and for flags of missing numbers.
        categories: the layers for columns that hold the index of a category, such as an embedding.

    Shapes: x (rows, elements), y (rows, the elements that the layers return).

    Raises:
        ShapeError: the layer isn't at the network's input; the data set names no columns, or has none for a parameter;
            or a layer inside can't take its inputs.

    Source: Gorishniy, Rubachev, Khrulkov and Babenko, Revisiting Deep Learning Models for Tabular Data (2021), section
        3.3, the feature tokenizer.
    """

    def __init__(
        self,
        numbers: Layers | None = None,
        dates: Layers | None = None,
        one_hot: Layers | None = None,
        categories: Layers | None = None,
    ) -> None:
        self.layers = {"numbers": numbers, "dates": dates, "one_hot": one_hot, "categories": categories}

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare the layers of each group of columns."""
        self.groups: list[Group] = []
        columns, end = self._columns(input_shape), 0
        bounds = list(pairwise(accumulate((column.width for column in columns), initial=0)))
        for name, layers in self.layers.items():
            held = [column for column in columns if column.holds == name]
            if layers is not None and not held:
                raise self._no_such_columns(name, columns)
            if not held:
                continue
            places = [range(*bound) for column, bound in zip(columns, bounds, strict=True) if column.holds == name]
            width = sum(map(len, places))
            inside = None if layers is None else self.chain(layers, InputShape((width,), held), name=name)
            begin, end = end, end + (width if inside is None else prod(inside.output_shape))
            self.groups.append(
                Group(name, np.concatenate([np.array(each) for each in places]), inside, slice(begin, end))
            )
        return (end,)

    def forward(self, x: Array) -> Array:
        """Return the outputs of all layers as one row."""
        y = self.buffer("y", (len(x), self.groups[-1].outputs.stop))
        for name, places, inside, outputs in self.groups:
            part = np.take(x, places, axis=1, out=self.buffer(name, (len(x), len(places))), mode="clip")
            y[:, outputs] = part if inside is None else inside.forward(part).reshape(len(x), prod(inside.output_shape))
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return dx, each layer's for its columns."""
        dx = self.buffer("dx", (len(dy), self.width)) if self.needs_input_gradient else None
        for name, places, inside, outputs in self.groups:
            part: Array | None = dy[:, outputs]
            if inside is not None:
                own = self.buffer(f"d{name}", (len(dy), *inside.output_shape))
                own[...] = dy[:, outputs].reshape(own.shape)
                part = inside.backward(own)
            if dx is not None and part is not None:
                dx[:, places] = part
        return dx

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        parts = []
        for _, places, inside, _ in self.groups:
            part = graph.op("Gather", graph.input, places.astype(np.int64), axis=1)
            if inside is not None:
                part = graph.chain(inside.layers, part)
                part = part if len(inside.output_shape) == 1 else graph.op("Flatten", part)
            parts.append(part)
        return graph.op("Concat", *parts, axis=1)

    def _columns(self, input_shape: tuple[int, ...]) -> tuple[InputColumn, ...]:
        """Return the columns of the inputs."""
        if not isinstance(input_shape, InputShape) or not input_shape.columns:
            who = self.path or self.type_name
            raise ShapeError(
                f"{who} can't know which of its inputs are which columns",
                expected="to be at the network's input, and a data set of named columns",
                remedy="make it the first of the layers, and take the data from a table, such as csv or a data frame",
            )
        (self.width,) = input_shape
        return input_shape.columns

    def _no_such_columns(self, name: str, columns: tuple[InputColumn, ...]) -> ShapeError:
        found = ", ".join(dict.fromkeys(column.holds for column in columns))
        remedy = "set categories: index in the data set, or leave it out" if name == "categories" else "leave it out"
        return ShapeError(
            f"{self.path or self.type_name} has layers for {name}, but the inputs hold none",
            expected=f"layers for {found}",
            remedy=remedy,
        )

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show an embedding and layers for numbers, and one-hot columns that pass unchanged."""
        columns = (
            InputColumn("age", "numbers"),
            InputColumn("city", "categories", values=4),
            InputColumn("sex", "one_hot", width=2),
            InputColumn("income", "numbers"),
            InputColumn("job", "categories", values=3),
        )
        embedding = {"categories": [{"Embedding": {"size": 2}}]}
        numbers = {"numbers": [{"Affine": {"units": 3}}, "Sigmoid"]}
        others = tuple(column for column in columns if column.holds != "categories")
        return [(embedding | numbers, InputShape((6,), columns)), (numbers, InputShape((4,), others))]
