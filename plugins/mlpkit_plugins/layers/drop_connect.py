"""An affine layer whose weights are dropped at random."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Lt

from mlpkit import Array, Graph, InitializerLike, Units, Value
from mlpkit_plugins.functions.random_words import random_words
from mlpkit_plugins.functions.rows import sum_rows
from mlpkit_plugins.kernels import drop, product, product_plus_row
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer


class DropConnect(MatrixLayer):
    """Affine map whose weights and biases are set to zero at random in training, where Dropout would drop its outputs.

        V  = W M / (1 - rate),  c = b m / (1 - rate),  each element of M and m is 0 with probability rate, else 1
        y  = x V + c
        dW = xᵀ dy M / (1 - rate),  db = Σ dy m / (1 - rate)  (over the rows of the minibatch)
        dx = dy Vᵀ

    In evaluation V = W and c = b, the mean network. The paper instead approximates the mean of the activations, by
    drawing from a normal distribution with the outputs' mean and variance, and has a mask for each row, not for each
    minibatch.

    Args:
        units: number of outputs, or auto for the number that the loss takes for the data's target.
        rate: probability that a weight is dropped, rounded to 65,536ths.
        weights: first values of W, shape (features, units).
        biases: first values of b, shape (units,), never decayed.

    Shapes: x (rows, features), y (rows, units).

    Raises:
        ShapeError: an input is not a row of features, with exactly one axis.

    Source: Wan, Zeiler, Zhang, LeCun and Fergus, Regularization of Neural Networks using DropConnect (2013), section 3.
    """

    units: Units
    _: KW_ONLY
    rate: Annotated[float, Ge(0), Lt(1)] = 0.5
    weights: InitializerLike = "he_normal"
    biases: InitializerLike = "zeros"

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare W and b."""
        (features,) = self.expect_rank(input_shape, 1, remedy="put Flatten before it")
        fans = (features, self.units)
        self.W = self.parameter("W", fans, self.weights)
        self.b = self.parameter("b", (self.units,), self.biases, fans=fans, decay=False)
        return (self.units,)

    def forward(self, x: Array) -> Array:
        """Return y = x V + c in training, and x W + b otherwise."""
        self.x, self.V, c = x, self.W.value, self.b.value
        self.dropping = self.training and self.rate > 0
        if self.dropping:
            of_W = self.buffer("chances of W", self.W.shape, np.uint16)
            of_b = self.buffer("chances of b", self.b.shape, np.uint16)
            self.chances = random_words(self.rng, of_W), random_words(self.rng, of_b)
            self.V = drop(self.W.value, self.chances[0], self.rate, self.buffer("V", like=self.W.value))
            c = drop(self.b.value, self.chances[1], self.rate, self.buffer("c", like=self.b.value))
        return product_plus_row(x, self.V, c, self.buffer("y", (len(x), self.units), contiguous=False))

    def backward(self, dy: Array) -> Array | None:
        """Set dW and db, and return dx = dy Vᵀ."""
        if self.needs_parameter_gradients:
            product(self.x.T, dy, self.W.grad)
            sum_rows(dy, self.b.grad)
            if self.dropping:
                drop(self.W.grad, self.chances[0], self.rate, self.W.grad)
                drop(self.b.grad, self.chances[1], self.rate, self.b.grad)
        if not self.needs_input_gradient:
            return None
        return product(dy, self.V.T, self.buffer("dx", self.x.shape, contiguous=False))

    def onnx(self, graph: Graph) -> Value:
        """Describe y = x W + b."""
        return graph.op("Gemm", graph.input, self.W, self.b)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with half of the weights dropped, and with a few."""
        return [({"units": 3}, (4,)), ({"units": 2, "rate": 0.2, "biases": "fan_in_uniform"}, (5,))]
