"""The affine layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY
from typing import Any

from mlpkit import Array, Graph, InitializerLike, Units, Value
from mlpkit_plugins.kernels import product, product_plus_row, scale_elements
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer


class Affine(MatrixLayer):
    """Affine map of the features: every output is a weighted sum of all inputs and a bias.

        y  = α x W + b
        dW = α xᵀ dy
        db = Σ dy  (over the rows of the minibatch)
        dx = α dy Wᵀ

    Args:
        units: number of outputs, or auto for the number that the loss takes for the data's target.
        weights: first values of W, shape (features, units).
        bias: whether there is a bias b, shape (units,), never decayed.
        biases: first values of b.
        ntk: whether α is 1 / √features, the NTK parametrization, in place of 1. The fan-in of weights is then 1, since
            α accounts for it.

    Shapes: x (rows, features), y (rows, units).

    Raises:
        ShapeError: an input is not a row of features, with exactly one axis.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.5; the NTK parametrization: Jacot, Gabriel
        and Hongler, Neural Tangent Kernel (2018), section 2.
    """

    units: Units
    _: KW_ONLY
    weights: InitializerLike = "he_normal"
    bias: bool = True
    biases: InitializerLike = "zeros"
    ntk: bool = False

    alpha = 1.0

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
        self.b = None
        if self.bias:
            self.b = self.parameter("b", (self.units,), self.biases, fans=(features, self.units), decay=False)
        return (self.units,)

    def forward(self, x: Array) -> Array:
        """Return y = α x W + b."""
        self.x, self.scaled = x, self.W.value
        if self.alpha != 1:  # α W usually has fewer elements than α x
            self.scaled = scale_elements(self.W.value, self.alpha, self.buffer("scaled", like=self.W.value))
        y = self.buffer("y", (len(x), self.units), contiguous=False)
        return product(x, self.scaled, y) if self.b is None else product_plus_row(x, self.scaled, self.b.value, y)

    def prediction_plan(self, x: Array) -> Callable[[], Array] | None:
        """Return a function that computes y again; None if that takes α W again."""
        return self.affine_plan(x, self.W, self.b) if self.alpha == 1 else None

    def backward(self, dy: Array) -> Array | None:
        """Set dW and db, and return dx = α dy Wᵀ."""
        if self.needs_parameter_gradients:
            product(self.x.T, dy, self.W.grad)
            if self.alpha != 1:
                scale_elements(self.W.grad, self.alpha, self.W.grad)
            if self.b is not None:
                self.sum_rows(dy, self.b.grad)
        if not self.needs_input_gradient:
            return None
        return product(dy, self.scaled.T, self.buffer("dx", self.x.shape, contiguous=False))

    def onnx(self, graph: Graph) -> Value:
        """Describe y = α x W + b."""
        W = self.W if self.alpha == 1 else graph.constant(self.W.path, self.alpha * self.W.value)
        return graph.op("Gemm", graph.input, W, *([] if self.b is None else [self.b]))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with and without a bias, and with the NTK parametrization."""
        ntk = {"units": 3, "ntk": True, "biases": "fan_in_uniform"}
        return [({"units": 3}, (4,)), ({"units": 2, "bias": False}, (5,)), (ntk, (4,))]
