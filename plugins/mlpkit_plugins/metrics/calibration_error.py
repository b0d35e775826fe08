"""Expected calibration error."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Classes, Labels, Metric, Target, Values, calibration_bins, expected_calibration_error
from mlpkit_plugins.metrics.targets import actual_classes, wrong_target


class CalibrationError(Metric):
    """Expected calibration error: how far predicted probabilities are from observed frequencies, on average.

        calibration_error = Σ |Σ p - Σ right| / rows

    Of each row, p is the probability of the predicted class, and right is 1 if it is the row's class. The outer sum
    runs over bins of equal width, the inner ones over the rows whose p is in the bin. Of labels, p is the probability
    of each, and right whether the row has it. A row with weight w counts w times. Few rows give a positive result even
    for perfect probabilities, about √(bins p (1 - p) / rows).

    Args:
        bins: the number of bins between 0 and 1.

    Shapes: prediction (rows, classes), t (rows,) or one-hot (rows, classes); or prediction and t (rows, labels).

    Raises:
        ShapeError: the target is real values.

    Source: Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks (2017), section 2, equation 3.
    """

    higher_is_better: ClassVar[bool] = False
    takes_weights: ClassVar[bool] = True

    def __init__(self, bins: Annotated[int, Ge(1)] = 15) -> None:
        self.bins = bins
        self.of_classes = True
        self.sums = np.zeros((3, bins))

    def expect_target(self, target: Target) -> None:
        """Require classes or labels as the target, and keep which."""
        if isinstance(target, Values):
            raise wrong_target(self, target, "classes or labels")
        self.of_classes = isinstance(target, Classes)

    def update(self, prediction: Array, t: Array, weights: Array | None = None) -> None:
        """Add the rows to their bins."""
        p, right = prediction, t > 0
        if self.of_classes:
            p, right = p.max(axis=1), p.argmax(axis=1) == actual_classes(t)
        elif weights is not None:
            weights = np.repeat(weights, p.shape[1])
        self.sums += calibration_bins(p.reshape(-1).astype(np.float64), right.reshape(-1), weights, self.bins)

    def merge(self, other: Self) -> None:
        """Add what is in another object's bins."""
        self.sums += other.sums

    def result(self) -> float:
        """Return the error."""
        return expected_calibration_error(self.sums)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it for classes, as numbers and as rows, and for labels."""
        return [({}, Classes(3)), ({"bins": 5}, Classes(2, one_hot=True)), ({}, Labels(3))]
