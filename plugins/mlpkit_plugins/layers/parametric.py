"""An activation with a trained strength."""

from __future__ import annotations

from typing import Any

from mlpkit import Array, Elementwise, Graph, Layer, ParameterError, Value
from mlpkit_plugins.functions.feature_axis import FeatureAxis
from mlpkit_plugins.kernels import lerp, lerp_gradient


class Parametric(Layer):
    """Parametric activation: an activation f with a trained strength for each feature, from none to full and beyond.

        y      = x + alpha (f(x) - x)
        dx     = dy (1 + alpha (f'(x) - 1))
        dalpha = Σ dy (f(x) - x)

    The first axis of an example counts its features, such as the channels of an image; the sum runs over the rows of
    the minibatch and all further axes. With Relu, it is Prelu of slope 1 - alpha.

    Args:
        activation: the activation f, a layer that applies a function to each element.
        alpha: first value of all strengths.

    Shapes: x and y (rows, features, ...); alpha (features,), with a tenth of the learning rate.

    Raises:
        ParameterError: the activation is another kind of layer.
        ShapeError: an input is a single number, without an axis of features.

    Source: Holzmüller, Grinsztajn and Steinwart, Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
        Data (2024), section 3, "parametric activation functions".
    """

    def __init__(self, activation: Layer, alpha: float = 1.0) -> None:
        if not isinstance(activation, Elementwise):
            raise ParameterError(
                "activation",
                f"{type(activation).__name__} doesn't apply a function to each element",
                expected="an activation such as Mish",
            )
        self.activation = activation
        self.first_alpha = alpha

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare the activation and alpha."""
        self.axis = FeatureAxis(self, input_shape)
        self.alpha = self.parameter("alpha", input_shape[:1], self.first_alpha, rate=0.1)
        return self.child(self.activation, input_shape)

    def forward(self, x: Array) -> Array:
        """Return y = x + alpha (f(x) - x)."""
        self.x = x
        self.f = self.activation.forward(x)
        return lerp(x, self.f, self.axis.spread(self.alpha.value), self.buffer("y", like=x))

    def backward(self, dy: Array) -> Array:
        """Set dalpha, and return dx."""
        slope = self.activation.derivative(self.x, self.f, self.buffer("slope", like=dy))
        products = self.buffer("products", like=dy)
        dx = lerp_gradient(dy, self.x, self.f, slope, self.axis.spread(self.alpha.value), products, dy)
        self.axis.sum(products, self.alpha.grad)
        return dx

    def onnx(self, graph: Graph) -> Value:
        """Describe y = x + alpha (f(x) - x)."""
        alpha = graph.constant(self.alpha.path, self.axis.spread(self.alpha.value))
        change = graph.op("Sub", graph.describe(self.activation, graph.input), graph.input)
        return graph.op("Add", graph.input, graph.op("Mul", alpha, change))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with two activations, on features and on an image of two channels."""
        return [({"activation": "Mish"}, (6,)), ({"activation": "Sigmoid", "alpha": 0.5}, (2, 2, 3))]
