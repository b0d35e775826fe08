"""The layer Swish, whose base has the constructor, and a layer derived from a built-in, both with annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Gt

from mlpkit import Elementwise, InitializerLike, Units, component, hookimpl
from mlpkit.layers import Affine

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Steep(Elementwise):
    """A function with a steepness."""

    def __init__(self, beta: Annotated[float, Gt(0)] = 1.0):
        self.beta = beta


class Swish(Steep):
    """Each input times its own logistic sigmoid.

        s  = 1 / (1 + exp(-β x)) = (1 + tanh(β x / 2)) / 2
        y  = x s
        dx = dy (s + β y (1 - s))

    Args:
        beta: steepness of the sigmoid, β.

    Shapes: x and y alike, of any shape.

    Source: Ramachandran, Zoph and Le, Searching for Activation Functions (2017).
    """

    s: NDArray
    passes: int = 0

    def function(self, x, out):
        """Return x s."""
        self.s = 0.5 * (1 + np.tanh(0.5 * self.beta * x))
        return np.multiply(x, self.s, out=out)

    def derivative(self, x, y, out):
        """Return s + β y (1 - s)."""
        return self.s + self.beta * y * (1 - self.s)

    def onnx(self, graph):
        """Describe y in ONNX operators, so that models with the layer can be exported."""
        return graph.op("Mul", graph.input, graph.op("Sigmoid", graph.op("Mul", graph.input, self.beta)))

    @classmethod
    def examples(cls):
        """Show the layer on features and on an image."""
        return [({}, (6,)), ({"beta": 2.0}, (2, 3))]


class Centered(Affine):
    """An affine map whose weights start small.

        y = x W + b

    Args:
        units: number of outputs.
        weights: first values of W.

    Shapes: x (rows, features), y (rows, units).

    Source: none.
    """

    width: int

    def __init__(self, units: Units, weights: InitializerLike = 0.01):
        super().__init__(units, weights=weights, bias=True)
        self.width = units

    @classmethod
    def examples(cls):
        """Show the layer on features."""
        return [({"units": 3, "weights": "he_normal"}, (4,))]


@hookimpl
def mlpkit_components():
    """Register the layer."""
    return [component("layer", "Swish", Swish), component("layer", "Centered", Centered)]
