"""Rescaling by fixed numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import MinLen

from mlpkit import Layer, ParameterError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PerFeature = Annotated[list[float], MinLen(1)]
"""A number for each feature."""


class Rescaling(Layer):
    """Multiplies each feature by a fixed scale, and adds a fixed offset.

        y  = scale x + offset
        dx = scale dy

    Before a loss on values, it lets the layers before it predict numbers of mean 0 and standard deviation 1, whatever
    the unit of the target: take the target's standard deviation as scale, and its mean as offset.

    Args:
        scale: factor of each feature, or of all; not 0.
        offset: what is added to each feature, or to all.

    Shapes: x and y alike, of any shape; a list has as many numbers as the last axis.

    Raises:
        ParameterError: a scale is 0, or the lists differ in length.
        ShapeError: a list has more or fewer numbers than the inputs have features.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.2.2, on outputs of a linear unit.
    """

    def __init__(self, scale: float | PerFeature, offset: float | PerFeature = 0.0) -> None:
        if 0.0 in np.atleast_1d(scale):
            raise ParameterError("scale", "a scale is 0, so that its outputs are all equal", expected="other numbers")
        lengths = {len(each) for each in (scale, offset) if isinstance(each, list)}
        if len(lengths) > 1:
            message = f"scale and offset have {min(lengths)} and {max(lengths)} numbers"
            raise ParameterError("offset", message, expected="as many numbers in both")
        self.scale = scale
        self.offset = offset
        self.features = lengths.pop() if lengths else None

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Make sure that there is a number per feature."""
        if self.features is not None and input_shape[-1:] != (self.features,):
            raise ShapeError(
                f"{self.path} rescales {self.features} features, but its inputs have shape {input_shape}",
                expected=f"inputs with {self.features} features, or one number for all",
            )
        return input_shape

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = scale x + offset."""
        y = self.buffer("y", like=x)
        np.multiply(x, self._typed(self.scale), out=y)
        y += self._typed(self.offset)
        return y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx = scale dy."""
        dy *= self._typed(self.scale)
        return dy

    def _typed(self, numbers: float | PerFeature) -> NDArray[Any]:
        return np.asarray(numbers, self.dtype)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show one scale for all features, and one for each."""
        return [({"scale": 2.5, "offset": 20.0}, (1,)), ({"scale": [0.5, 2.0], "offset": [0.0, -3.0]}, (2,))]
