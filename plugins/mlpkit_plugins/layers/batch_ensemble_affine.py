"""An affine layer for each member of an ensemble, with shared weights."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Graph, InitializerLike, Value
from mlpkit_plugins.functions.random_words import Uniform
from mlpkit_plugins.functions.rows import scale_and_shift_rows, scale_rows, sum_row_products, sum_rows
from mlpkit_plugins.kernels import product
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer


class BatchEnsembleAffine(MatrixLayer):
    """Affine maps of an ensemble's members, which share W but scale inputs and outputs by their own vectors.

        y_k  = ((x_k ∘ r_k) W) ∘ s_k + b_k
        dz_k = dy_k ∘ s_k,  da_k = dz_k Wᵀ,  dx_k = da_k ∘ r_k
        dW   = Σ (x_k ∘ r_k)ᵀ dz_k  (over the members)
        dr_k = Σ da_k ∘ x_k,  ds_k = Σ dy_k ∘ (x_k ∘ r_k) W,  db_k = Σ dy_k  (over the rows of the minibatch)

    In TabM the first such layer has ``r: random_signs``, which makes the members differ, and later ones start with
    r = s = 1. In TabM-mini all have ``s: null`` and ``shared_bias: true``, and all but the first ``r: null``.

    Args:
        units: number of outputs of each member.
        weights: first values of W, shape (features, units).
        r: first values of r, shape (members, features); null to leave r out.
        s: first values of s, shape (members, units); null to leave s out.
        biases: first values of b, shape (members, units), never decayed; by default U(-a, a), a = 1 / √features, the
            same for each member.
        shared_bias: whether all members share one b, shape (units,).

    Shapes: x (rows, members, features), y (rows, members, units).

    Raises:
        ShapeError: inputs aren't a row of features for each member, with exactly two axes.

    Source: Wen, Tran and Ba, BatchEnsemble: An Alternative Approach to Efficient Ensemble and Lifelong Learning (2020),
        equation 5; Gorishniy, Kotelnikov and Babenko, TabM: Advancing Tabular Deep Learning with Parameter-Efficient
        Ensembling (2025), section 3.3, for the first values.
    """

    def __init__(
        self,
        units: Annotated[int, Ge(1)],
        *,
        weights: InitializerLike = "fan_in_uniform",
        r: InitializerLike | None = 1.0,
        s: InitializerLike | None = 1.0,
        biases: InitializerLike | None = None,
        shared_bias: bool = False,
    ) -> None:
        self.units = units
        self.weights = weights
        self.first_r = r
        self.first_s = s
        self.biases = biases
        self.shared_bias = shared_bias

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare W, r, s and b."""
        self.members, features = self.expect_rank(input_shape, 2, remedy="put EnsembleView before it")
        fans = (features, self.units)
        self.W = self.parameter("W", fans, self.weights)
        self.r = self.s = None
        if self.first_r is not None:
            self.r = self.parameter("r", (self.members, features), self.first_r, fans=fans)
        if self.first_s is not None:
            self.s = self.parameter("s", (self.members, self.units), self.first_s, fans=fans)
        biases = Uniform(features**-0.5, rows_alike=not self.shared_bias) if self.biases is None else self.biases
        shape = (self.units,) if self.shared_bias else (self.members, self.units)
        self.b = self.parameter("b", shape, biases, fans=fans, decay=False)
        return (self.members, self.units)

    def forward(self, x: Array) -> Array:
        """Return y_k = ((x_k ∘ r_k) W) ∘ s_k + b_k."""
        self.x = x
        self.a = scale_rows(x, self.r.value, self.buffer("a", x.shape)) if self.r else x
        self.z = self._product(self.a, self.W.value, "z")
        if self.s:
            return scale_and_shift_rows(self.z, self.s.value, self.b.value, self.buffer("y", self.z.shape))
        np.add(self.z, self.b.value, out=self.z)
        return self.z

    def backward(self, dy: Array) -> Array | None:
        """Set dW, dr, ds and db, and return dx."""
        if self.needs_parameter_gradients:
            sum_rows(_rows(dy) if self.shared_bias else dy, self.b.grad)
            if self.s:
                sum_row_products(dy, self.z, self.buffer("products", dy.shape), self.s.grad)
        dz = np.ascontiguousarray(dy)
        if self.s:
            scale_rows(dz, self.s.value, dz)
        if self.needs_parameter_gradients:
            product(_rows(self.a).T, _rows(dz), self.W.grad)
        if not self.needs_input_gradient and self.r is None:
            return None
        da = self._product(dz, self.W.value.T, "da")
        if self.r is None:
            return da
        if self.needs_parameter_gradients:
            sum_row_products(da, self.x, self.buffer("products", da.shape), self.r.grad)
        return scale_rows(da, self.r.value, da)

    def _product(self, x: Array, W: Array, name: str) -> Array:
        """Return x W, as one product for all members."""
        y = self.buffer(name, (*x.shape[:2], W.shape[1]))
        product(_rows(x), W, _rows(y))
        return y

    def onnx(self, graph: Graph) -> Value:
        """Describe y_k = ((x_k ∘ r_k) W) ∘ s_k + b_k."""
        a = graph.input if self.r is None else graph.op("Mul", graph.input, self.r)
        z = graph.op("MatMul", a, self.W)
        return graph.op("Add", z if self.s is None else graph.op("Mul", z, self.s), self.b)

    def flops(self, input_shape: tuple[int, ...]) -> int:
        """Return six per weight for each member, shared or not."""
        members, features = input_shape
        own = (features if self.r else 0) + (self.units if self.s else 0) + self.units
        return 6 * members * (features * self.units + own)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the first and a later layer of TabM, and of TabM-mini."""
        mini = {"units": 3, "s": None, "shared_bias": True}
        signs = {"units": 3, "r": "random_signs"}
        return [(signs, (2, 4)), ({"units": 5}, (3, 2)), (mini, (2, 4)), ({**mini, "r": None}, (2, 3))]


def _rows(x: Array) -> Array:
    """Return the rows of all members as one matrix."""
    return x.reshape(-1, x.shape[-1])
