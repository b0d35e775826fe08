"""The affine layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import InitializerLike, Units
from mlpkit_plugins.kernels import product, product_plus_row, scale_elements
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit import Array, Graph, Value


class Affine(MatrixLayer):
    """Affine map of the features: every output is a weighted sum of all inputs and a bias.

        y  = α x W + b
        dW = α xᵀ dy
        db = Σ dy  (over the rows of the minibatch)
        dx = α dy Wᵀ

    Args:
        units: number of outputs, or auto for as many as the loss takes for the data's target.
        weights: first values of W, shape (features, units).
        bias: whether there is a bias b, shape (units,), never decayed.
        biases: first values of b.
        ntk: whether α is 1 / √features, the NTK parametrization, and not 1. It stands for the fan-in, which then
            counts as 1 for weights.

    Shapes: x (rows, features), y (rows, units).

    Raises:
        ShapeError: an input is not a row of features, with exactly one axis.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.5; the NTK parametrization: Jacot, Gabriel
        and Hongler, Neural Tangent Kernel (2018), section 2.
    """

    alpha = 1.0

    def __init__(
        self,
        units: Units,
        *,
        weights: InitializerLike = "he_normal",
        bias: bool = True,
        biases: InitializerLike = "zeros",
        ntk: bool = False,
    ) -> None:
        self.units = units
        self.weights = weights
        self.bias = bias
        self.biases = biases
        self.ntk = ntk
        self.ones: Array = np.ones(0)

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare W and b."""
        remedy = "put Flatten before it"
        if len(input_shape) == 2:
            remedy += "; for members of an ensemble, use EnsembleAffine or BatchEnsembleAffine"
        (features,) = self.expect_rank(input_shape, 1, remedy=remedy)
        if self.ntk:
            self.alpha = features**-0.5
        fans = (1 if self.ntk else features, self.units)
        self.W = self.parameter("W", (features, self.units), self.weights, fans=fans)
        if self.bias:
            self.b = self.parameter("b", (self.units,), self.biases, fans=(features, self.units), decay=False)
        return (self.units,)

    def forward(self, x: Array) -> Array:
        """Return y = α x W + b."""
        self.x = x
        self.scaled = self.W.value  # α W, usually smaller than x and y
        if self.alpha != 1:
            self.scaled = scale_elements(self.W.value, self.alpha, self.buffer("scaled", like=self.W.value))
        y = self.buffer("y", (len(x), self.units), contiguous=False)
        return product_plus_row(x, self.scaled, self.b.value, y) if self.bias else product(x, self.scaled, y)

    def prediction_plan(self, x: Array) -> Callable[[], Array] | None:
        """Return a function that computes y again; None if that takes α W again."""
        if self.alpha != 1:
            return None
        y = self.buffer("y", (len(x), self.units), contiguous=False)
        if self.bias:
            return lambda: product_plus_row(x, self.W.value, self.b.value, y)
        return lambda: product(x, self.W.value, y)

    def backward(self, dy: Array) -> Array | None:
        """Set dW and db, and return dx = α dy Wᵀ."""
        if self.needs_parameter_gradients:
            product(self.x.T, dy, self.W.grad)
            if self.alpha != 1:
                scale_elements(self.W.grad, self.alpha, self.W.grad)
        if self.bias and self.needs_parameter_gradients:
            if len(self.ones) != len(dy):
                self.ones = np.ones(len(dy), self.dtype)
            product(self.ones, dy, self.b.grad)  # several times as fast as dy.sum(axis=0)
        if not self.needs_input_gradient:
            return None
        return product(dy, self.scaled.T, self.buffer("dx", self.x.shape, contiguous=False))

    def onnx(self, graph: Graph) -> Value:
        """Describe y = α x W + b."""
        W = self.W if self.alpha == 1 else graph.constant(self.W.path, self.alpha * self.W.value)
        return graph.op("Gemm", graph.input, W, *([self.b] if self.bias else []))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with and without a bias, and with the NTK parametrization."""
        ntk = {"units": 3, "ntk": True, "biases": "fan_in_uniform"}
        return [({"units": 3}, (4,)), ({"units": 2, "bias": False}, (5,)), (ntk, (4,))]
