"""The Gaussian error linear unit."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Elementwise
from mlpkit_plugins.functions.standard_normal import standard_normal
from mlpkit_plugins.kernels import gelu, row_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit import Graph, Value


class Gelu(Elementwise):
    """Gaussian error linear unit, element by element: x times the standard normal distribution function at x.

        y  = x Φ(x),  Φ(x) = (1 + erf(x / √2)) / 2
        dx = dy (Φ(x) + x φ(x)),  φ(x) = exp(-x²/2) / √(2π)

    This is the form with erf, to rounding, and not its approximation with tanh: in training, Φ has a relative error of
    at most 2e-14 before the rounding of the dtype.

    Shapes: x and y alike, of any shape.

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units (2016), section 2.
    """

    evaluation_context = row_order

    def function(self, x: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return x Φ(x)."""
        if not self.training:
            return gelu(x, out)
        self.distribution, self.density = standard_normal(x)
        np.multiply(x, self.distribution, out=out)
        return out

    def derivative(self, x: NDArray[Any], y: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return Φ(x) + x φ(x)."""
        distribution, density = (self.distribution, self.density) if self.training else standard_normal(x)
        np.multiply(x, density, out=out)
        np.add(out, distribution, out=out)
        return out

    def onnx(self, graph: Graph) -> Value:
        """Describe y = x (1 + erf(x / √2)) / 2."""
        erf = graph.op("Erf", graph.op("Div", graph.input, sqrt(2)))
        return graph.op("Mul", graph.op("Mul", graph.input, graph.op("Add", erf, 1.0)), 0.5)
