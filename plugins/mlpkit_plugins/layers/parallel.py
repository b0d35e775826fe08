"""Layers side by side."""

from __future__ import annotations

from functools import reduce
from itertools import accumulate, pairwise
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import MinLen

from mlpkit import Array, Graph, Layer, ParameterError, Value


class Parallel(Layer):
    """Branches of layers side by side: each takes the same inputs, and their outputs are concatenated or added.

        y  = (f₁(x), f₂(x), ...), or y = f₁(x) + f₂(x) + ...
        dx = Σ dyᵢ ∂fᵢ/∂x, dyᵢ the part of dy that belongs to fᵢ, or dy

    Args:
        branches: the branches f₁, f₂, ..., each a list of layers, in order; an empty list passes the inputs on.
        join: concat puts outputs one after another along the first axis of an example, its features or channels; sum
            adds outputs of one shape.

    Shapes: x as each branch takes it; y as the branches return it, with the sum of their features for concat.

    Raises:
        ShapeError: a layer can't take the output of the one before it.
        ParameterError: the outputs of a branch can't be joined with those of the first.

    Source: Szegedy et al., Going Deeper with Convolutions (2015), section 4, for concat; Xie, Girshick, Dollár, Tu and
        He, Aggregated Residual Transformations for Deep Neural Networks (2017), section 3.3, equation 2, for sum.
    """

    branches: Annotated[list[list[Layer]], MinLen(1)]
    join: Literal["concat", "sum"] = "concat"

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare the layers of each branch, whose outputs must fit each other."""
        self.inside = [self.chain(layers, input_shape, name=str(i)) for i, layers in enumerate(self.branches)]
        shapes = [chain.output_shape for chain in self.inside]
        for i, shape in enumerate(shapes):
            self._require_fit(i, shape, shapes[0])
        if self.join == "sum":
            return shapes[0]
        self.parts = [slice(*bounds) for bounds in pairwise(accumulate((shape[0] for shape in shapes), initial=0))]
        return (self.parts[-1].stop, *shapes[0][1:])

    def forward(self, x: Array) -> Array:
        """Return the outputs of all branches, joined."""
        first, *others = self.inside
        outputs = first.forward(x)
        if self.join == "sum":
            y = self.buffer("y", like=outputs)
            np.copyto(y, outputs)
            for chain in others:
                y += chain.forward(x)
            return y
        y = self.buffer("y", (len(x), self.parts[-1].stop, *outputs.shape[2:]))
        y[:, self.parts[0]] = outputs
        for chain, part in zip(others, self.parts[1:], strict=True):
            y[:, part] = chain.forward(x)
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return dx, the sum of what the branches return."""
        dx = None
        for i, chain in enumerate(self.inside):
            df = self.buffer(f"df{i}", (len(dy), *chain.output_shape))  # the branch may overwrite it
            np.copyto(df, dy if self.join == "sum" else dy[:, self.parts[i]])
            part = chain.backward(df)
            if dx is None:
                dx = part
            elif part is not None:
                dx += part
        return dx

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        outputs = [graph.chain(chain.layers) for chain in self.inside]
        if self.join == "concat":
            return graph.op("Concat", *outputs, axis=1)
        return reduce(lambda total, output: graph.op("Add", total, output), outputs)

    def _require_fit(self, branch: int, shape: tuple[int, ...], first: tuple[int, ...]) -> None:
        concat = self.join == "concat"
        if (len(shape) == len(first) > 0 and shape[1:] == first[1:]) if concat else shape == first:
            return
        what = f"outputs of shape {shape} of branch {branch}, counted from 0, to those of branch 0, of shape {first}"
        raise ParameterError(
            f"branches.{branch}",
            f"{self.path or self.type_name} can't {'append' if concat else 'add'} {what}",
            expected="outputs that differ only in their first axis" if concat else f"outputs of shape {first}",
            remedy="change the last layer of the branch, or put a layer after it that restores the shape",
        )

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with the inputs among the outputs, and with a sum on an image."""
        affine = {"Affine": {"units": 3}}
        features = {"branches": [[], [affine, "Relu"], [affine]]}
        return [(features, (4,)), ({"branches": [["Sigmoid"], ["Tanh"]], "join": "sum"}, (2, 3))]
