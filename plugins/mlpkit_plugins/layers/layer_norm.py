"""Layer normalization."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any

from annotated_types import Gt

from mlpkit import Array, Graph, Layer, ShapeError, Value
from mlpkit_plugins.functions.rows import sum_rows
from mlpkit_plugins.kernels import normalize_rows, normalize_rows_gradient


class LayerNorm(Layer):
    """Layer normalization: the features of each example get mean 0 and variance 1, then a scale and a shift.

        mean   = Σ x / n,  variance = Σ (x - mean)² / n  (over the n features of the example)
        x̂      = (x - mean) / √(variance + epsilon)
        y      = gamma x̂ + beta
        dx     = (g - mean(g) - x̂ mean(g x̂)) / √(variance + epsilon),  g = gamma dy
        dgamma = Σ dy x̂,  dbeta = Σ dy  (over the rows of the minibatch)

    Args:
        epsilon: keeps the quotient finite if all features of an example are equal; in the squared unit of x.

    Shapes: x and y of any shape with two features or more; gamma, initially one, and beta, initially zero, of the shape
        of an example, never decayed.

    Raises:
        ShapeError: an example has fewer than two features, so that x̂ would be zero for any x.

    Source: Ba, Kiros and Hinton, Layer Normalization (2016), section 3, which has no epsilon.
    """

    epsilon: Annotated[float, Gt(0)] = 1e-5

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare gamma and beta."""
        if prod(input_shape) < 2:
            name = self.path or self.type_name
            raise ShapeError(
                f"{name} can't take inputs of shape {input_shape}: a single feature has no variance",
                expected="a shape of two features or more",
                remedy="leave the layer out, put it after a layer with more outputs, or use BatchNorm",
            )
        self.one_each = (1,) * len(input_shape)
        self.gamma = self.parameter("gamma", input_shape, 1.0, decay=False)
        self.beta = self.parameter("beta", input_shape, "zeros", decay=False)
        return input_shape

    def forward(self, x: Array) -> Array:
        """Return y = gamma x̂ + beta."""
        self.normalized = self.buffer("normalized", like=x)
        self.scale = self.buffer("scale", (len(x), *self.one_each))
        gamma, beta, y = self.gamma.value, self.beta.value, self.buffer("y", like=x)
        return normalize_rows(x, gamma, beta, self.epsilon, self.normalized, self.scale, y)

    def backward(self, dy: Array) -> Array:
        """Set dgamma and dbeta, and return dx."""
        sum_rows(dy, self.beta.grad)
        products = self.buffer("products", like=dy)
        dx = normalize_rows_gradient(dy, self.normalized, self.scale, self.gamma.value, products, dy)
        sum_rows(products, self.gamma.grad)
        return dx

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        return graph.op("LayerNormalization", graph.input, self.gamma, self.beta, axis=1, epsilon=self.epsilon)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features and on an image."""
        return [({}, (6,)), ({"epsilon": 0.001}, (2, 3))]
