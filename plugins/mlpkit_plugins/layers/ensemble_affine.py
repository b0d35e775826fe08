"""A separate affine layer for each member of an ensemble."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from mlpkit import Array, Graph, InitializerLike, Units, Value
from mlpkit_plugins.functions.rows import sum_rows
from mlpkit_plugins.kernels import product, product_plus_row
from mlpkit_plugins.kernels.matrix_layer import MatrixLayer


class EnsembleAffine(MatrixLayer):
    """Affine maps of an ensemble's members, each with its own weights and bias.

        y_k  = x_k W_k + b_k
        dW_k = x_kᵀ dy_k
        db_k = Σ dy_k  (over the rows of the minibatch)
        dx_k = dy_k W_kᵀ

    Args:
        units: number of outputs of each member, or auto for the number that the loss takes for the data's target.
        weights: first values of W, shape (members, features, units).
        biases: first values of b, shape (members, units), never decayed.

    Shapes: x (rows, members, features), y (rows, members, units).

    Raises:
        ShapeError: inputs aren't a row of features for each member, with exactly two axes.

    Source: Gorishniy, Kotelnikov and Babenko, TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling
        (2025), section 3.2, "non-shared prediction heads".
    """

    units: Units
    _: KW_ONLY
    weights: InitializerLike = "fan_in_uniform"
    biases: InitializerLike = "fan_in_uniform"

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare W and b."""
        members, features = self.expect_rank(input_shape, 2, remedy="put EnsembleView before it")
        fans = (features, self.units)
        self.W = self.parameter("W", (members, features, self.units), self.weights, fans=fans)
        self.b = self.parameter("b", (members, self.units), self.biases, fans=fans, decay=False)
        return (members, self.units)

    def forward(self, x: Array) -> Array:
        """Return y_k = x_k W_k + b_k."""
        self.x = x
        y = self.buffer("y", (*x.shape[:2], self.units))
        for k, W in enumerate(self.W.value):
            product_plus_row(x[:, k], W, self.b.value[k], y[:, k])
        return y

    def backward(self, dy: Array) -> Array | None:
        """Set dW and db, and return dx_k = dy_k W_kᵀ."""
        if self.needs_parameter_gradients:
            for k, dW in enumerate(self.W.grad):
                product(self.x[:, k].T, dy[:, k], dW)
            sum_rows(dy, self.b.grad)
        if not self.needs_input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        for k, W in enumerate(self.W.value):
            product(dy[:, k], W.T, dx[:, k])
        return dx

    def onnx(self, graph: Graph) -> Value:
        """Describe y, with each x_k as a matrix of one row."""
        x = graph.op("Unsqueeze", graph.input, np.array([2]))
        return graph.op("Add", graph.op("Squeeze", graph.op("MatMul", x, self.W), np.array([2])), self.b)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with several outputs and with one."""
        return [({"units": 3}, (2, 4)), ({"units": 1}, (3, 5))]
