"""The mean absolute error."""

from __future__ import annotations

import numpy as np

from mlpkit import Array
from mlpkit_plugins.losses.mean_over_rows import mean_of, share_of_each
from mlpkit_plugins.losses.pinball import MEDIAN, quantile_of
from mlpkit_plugins.losses.real_values import RealValuesLoss


class MeanAbsoluteError(RealValuesLoss):
    """Mean of the absolute differences to the target values.

        r    = x - t
        loss = mean of |r| over rows and elements
        dx   = dloss sign(r) / count

    Here count is the number of rows times the elements of each; the sign of 0 is 0. If rows have weights w, the mean
    over them is Σ w loss / Σ w.

    Shapes: x of any shape, t of the same shape.

    Raises:
        ShapeError: the data's target is not real values of the shape of an input, or the targets are not numbers of the
            shape of x.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 1.5.5.
    """

    unit = "{target}"

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean of |r|."""
        self.r, self.weights = self.residual(x, t), weights
        return mean_of(np.abs(self.r, out=self.buffer("absolute", x.shape)), weights)

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx = dloss sign(r) / count."""
        dx = self.buffer("dx", self.r.shape)
        np.sign(self.r, out=dx)
        np.multiply(dx, share_of_each(dloss, dx, self.weights), out=dx)
        return dx

    def best_constant(self, t: Array, weights: Array | None = None) -> Array:
        """Return the median over rows, with half of their weight on either side."""
        return quantile_of(MEDIAN, t, weights)
