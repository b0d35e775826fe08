"""The parametric rectified linear unit."""

from __future__ import annotations

from typing import Any

from mlpkit import Array, Graph, Layer, Value
from mlpkit_plugins.functions.feature_axis import FeatureAxis
from mlpkit_plugins.kernels import prelu, prelu_gradient


class Prelu(Layer):
    """Parametric rectified linear unit: a trained slope for negative inputs, one for each feature.

        y      = x where x > 0, else slope x
        dx     = dy where x > 0, else slope dy
        dslope = Σ dy min(x, 0)

    The first axis of an example counts its features, such as the channels of an image; the sum runs over the rows of
    the minibatch and all further axes.

    Args:
        slope: first value of all slopes.

    Shapes: x and y (rows, features, ...); slope (features,), never decayed, since decay would favour Relu.

    Raises:
        ShapeError: an input is a single number, without an axis of features.

    Source: He, Zhang, Ren and Sun, Delving Deep into Rectifiers (2015), section 2.1.
    """

    def __init__(self, slope: float = 0.25) -> None:
        self.first_slope = slope

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare the slopes."""
        self.axis = FeatureAxis(self, input_shape)
        self.slope = self.parameter("slope", input_shape[:1], self.first_slope, decay=False)
        return input_shape

    def forward(self, x: Array) -> Array:
        """Return y."""
        self.x = x
        return prelu(x, self.axis.spread(self.slope.value), self.buffer("y", like=x))

    def backward(self, dy: Array) -> Array:
        """Set dslope, and return dx."""
        products = self.buffer("products", like=dy)
        dx = prelu_gradient(dy, self.x, self.axis.spread(self.slope.value), products, dy)
        self.axis.sum(products, self.slope.grad)
        return dx

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        slope = graph.constant(self.slope.path, self.axis.spread(self.slope.value))
        return graph.op("PRelu", graph.input, slope)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features, and with another slope on an image of two channels."""
        return [({}, (6,)), ({"slope": 0.1}, (2, 2, 3))]
