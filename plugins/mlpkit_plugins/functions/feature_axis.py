"""The axis of an example's features."""

from __future__ import annotations

from mlpkit import Array, Layer, ShapeError
from mlpkit_plugins.kernels import feature_sums


class FeatureAxis:
    """The first axis of an example, its ``features``, such as the channels of an image.

    Raises:
        ShapeError: an example is a single number, without axes.
    """

    def __init__(self, layer: Layer, input_shape: tuple[int, ...]) -> None:
        if not input_shape:
            raise ShapeError(
                f"{layer.path or layer.type_name} can't take inputs of shape ()",
                expected="a shape with an axis of features",
            )
        self.features = input_shape[0]
        self._spread = (self.features,) + (1,) * (len(input_shape) - 1)

    def spread(self, numbers: Array) -> Array:
        """Reshape a number for each feature so that it broadcasts over a minibatch."""
        return numbers.reshape(self._spread)

    def sum(self, x: Array, out: Array) -> None:
        """Set out to the sum of each feature of a minibatch."""
        feature_sums(x, out)
