"""The mean squared error."""

from __future__ import annotations

import numpy as np

from mlpkit import Array
from mlpkit_plugins.losses.mean_over_rows import mean_of, share_of_each
from mlpkit_plugins.losses.real_values import RealValuesLoss


class MeanSquaredError(RealValuesLoss):
    """Mean of the squared differences to the target values.

        r    = x - t
        loss = mean of r² over rows and elements
        dx   = dloss 2 r / count

    Here count is the number of rows times the elements of each. If rows have weights w, the mean over rows is
    Σ w loss / Σ w.

    Shapes: x of any shape, t of the same shape.

    Raises:
        ShapeError: the data's target is not real values of the shape of an input, or the targets are not numbers of the
            shape of x.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 1.5.5.
    """

    unit = "{target}²"

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean of r²."""
        self.r, self.weights = self.residual(x, t), weights
        squares = self.buffer("squares", x.shape, np.float64)  # float32 would overflow from 1e19 on
        return mean_of(np.square(self.r, out=squares, dtype=np.float64), weights)

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx = dloss 2 r / count."""
        dx = self.buffer("dx", self.r.shape)
        np.multiply(self.r, 2 * share_of_each(dloss, dx, self.weights), out=dx)
        return dx

    def best_constant(self, t: Array, weights: Array | None = None) -> Array:
        """Return the mean over rows."""
        return np.average(t.astype(np.float64), axis=0, weights=weights)
