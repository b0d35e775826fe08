"""The coefficient of determination."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Labels, Metric, Target, Values
from mlpkit_plugins.metrics.mean import counted_all, deviations, require_real_values


class R2(Metric):
    """Coefficient of determination: the share of the targets' variance that predictions account for.

        r2 = 1 - Σ (t - prediction)² / Σ (t - mean t)²

    It is 1 for perfect predictions, 0 for the mean, and has no lower bound. If each example has several values, it is
    the mean over them. As in scikit-learn, a value that is the same for all examples gives 1 if it is predicted
    exactly, and 0 otherwise; so does a single example, for which scikit-learn gives NaN.

    Minibatches are merged by their means and sums of squares around them:

        spread = spread₁ + spread₂ + (mean₂ - mean₁)² n₁ n₂ / (n₁ + n₂)

    A row with weight w counts w times: n is then a sum of weights.

    Shapes: prediction of any shape, t of the same shape; axes of length 1 may be missing in either.

    Raises:
        ShapeError: the target is class numbers, or the predictions don't have the shape of the values.

    Source: Draper and Smith, Applied Regression Analysis (1998), chapter 1; merging: Chan, Golub and LeVeque, Updating
        Formulae and a Pairwise Algorithm for Computing Sample Variances (1979).
    """

    takes_weights = True

    def __init__(self) -> None:
        self.rows = 0.0
        self.mean = np.zeros(1)
        self.spread = np.zeros(1)
        self.residual = np.zeros(1)

    def expect_target(self, target: Target) -> None:
        """Require real values as the target, or rows of zeros and ones, which are compared like them."""
        require_real_values(self, target)

    def update(self, prediction: Array, t: Array, weights: Array | None = None) -> None:
        """Add the squares of a minibatch."""
        if weights is not None and not weights.all():
            counts = weights > 0
            prediction, t, weights = prediction[counts], t[counts], weights[counts]
        if len(t):
            rows = counted_all(t, weights)
            residual = _sum(np.square(deviations(prediction, t)).reshape(len(t), -1), weights)
            values = t.reshape(len(t), -1).astype(np.float64)
            mean = values[0] + _sum(values - values[0], weights) / rows  # exact if all are the same
            self._add(rows, mean, _sum(np.square(values - mean), weights), residual)

    def merge(self, other: Self) -> None:
        """Add another object's squares."""
        if other.rows:
            self._add(other.rows, other.mean, other.spread, other.residual)

    def _add(
        self, rows: float, mean: NDArray[np.float64], spread: NDArray[np.float64], residual: NDArray[np.float64]
    ) -> None:
        total = self.rows + rows
        between = mean - self.mean
        self.spread = self.spread + spread + between**2 * (self.rows * rows / total)
        self.mean = self.mean + between * (rows / total)
        self.residual = self.residual + residual
        self.rows = total

    def result(self) -> float:
        """Return the mean over the values of 1 - residual / spread."""
        if not self.rows:
            return float("nan")
        same = self.spread == 0
        unexplained = np.where(same, self.residual > 0, self.residual) / np.where(same, 1.0, self.spread)
        return float(np.mean(1.0 - unexplained))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it on a single value, on several, and on labels."""
        return [({}, Values(())), ({}, Values((3,))), ({}, Labels(3))]


def _sum(values: NDArray[np.float64], weights: Array | None) -> NDArray[np.float64]:
    """Return the sum over rows, each times its weight."""
    total: NDArray[np.float64] = values.sum(axis=0) if weights is None else weights @ values
    return total
