"""The Gaussian error linear unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Layer
from mlpkit_plugins.functions.standard_normal import standard_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Gelu(Layer):
    """Gaussian error linear unit, element by element: x times the probability that a standard normal number is less.

        y  = x Φ(x),  Φ(x) = (1 + erf(x / √2)) / 2
        dx = dy (Φ(x) + x φ(x)),  φ(x) = exp(-x²/2) / √(2π)

    This is the form with erf, to rounding, and not its approximation with tanh: Φ has a relative error of at most 2e-14
    before the rounding of the dtype.

    Shapes: x and y alike, of any shape.

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units (2016), section 2.
    """

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = x Φ(x)."""
        self.x = x
        self.distribution = self.buffer("distribution", x.shape, like=x)
        self.density = self.buffer("density", x.shape, like=x)
        scratch = self.buffer("scratch", x.shape, like=x)
        standard_normal(x, distribution=self.distribution, density=self.density, scratch=scratch)
        y = self.buffer("y", x.shape, gaps=True, like=x)
        np.multiply(x, self.distribution, out=y)
        return y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx = dy (Φ(x) + x φ(x))."""
        slope = np.multiply(self.x, self.density, out=self.density)
        np.add(slope, self.distribution, out=slope)
        dy *= slope
        return dy

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features and on an image."""
        return [({}, (6,)), ({}, (2, 3))]
