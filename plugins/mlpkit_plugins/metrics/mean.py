"""The bases of metrics that are a mean, such as that of errors, or a share of the rows."""

from __future__ import annotations

from abc import abstractmethod
from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Classes, Labels, Metric, ShapeError, Target, Values
from mlpkit_plugins.metrics.targets import wrong_target


class Mean(Metric):
    """A total divided by a count; a subclass adds to both in ``update``. A row with weight w counts w times."""

    takes_weights = True
    total = 0.0
    count = 0.0

    def merge(self, other: Self) -> None:
        """Add another object's total and count."""
        self.total += other.total
        self.count += other.count

    def result(self) -> float:
        """Return total / count."""
        return self.total / self.count if self.count else float("nan")


class ShareOfRows(Mean):
    """The share of the rows for which a prediction is right, as a subclass defines it."""

    is_share_of_rows = True

    @abstractmethod
    def are_right(self, prediction: Array, t: Array) -> NDArray[np.bool_]:
        """Return which predictions are right, shape (rows,)."""

    def update(self, prediction: Array, t: Array, weights: Array | None = None) -> None:
        """Count the rows, and those that are right."""
        right = self.are_right(prediction, t)
        self.total += int(np.count_nonzero(right)) if weights is None else float(weights @ right)
        self.count += counted_all(t, weights)


def counted_all(t: Array, weights: Array | None) -> int | float:
    """Return how many rows of targets there are, or the sum of their weights."""
    return len(t) if weights is None else float(weights.sum())


class MeanError(Mean):
    """The mean over all values of a function of prediction - t, which a subclass defines.

    Raises:
        ShapeError: the target is class numbers, or the predictions don't have the shape of the values.
    """

    higher_is_better = False

    @abstractmethod
    def error(self, deviation: Array) -> Array:
        """Return the error of each value, where a deviation is prediction - t."""

    def expect_target(self, target: Target) -> None:
        """Require real values as the target, or rows of zeros and ones, which are compared like them."""
        require_real_values(self, target)

    def update(self, prediction: Array, t: Array, weights: Array | None = None) -> None:
        """Add the errors."""
        errors = self.error(deviations(prediction, t))
        self.total += float(errors.sum() if weights is None else (errors.T @ weights).sum())
        self.count += counted_all(t, weights) * prod(t.shape[1:])

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it on a single value, on several, and on labels."""
        return [({}, Values(())), ({}, Values((3,))), ({}, Labels(3))]


def require_real_values(metric: Metric, target: Target) -> None:
    """Require numbers as the target, one for each prediction; one-hot rows and labels are numbers too."""
    if not isinstance(target, Labels | Values) and not (isinstance(target, Classes) and target.one_hot):
        raise wrong_target(metric, target, "real values")


def deviations(prediction: Array, t: Array) -> NDArray[np.float64]:
    """Return prediction - t in float64, in the shape of the targets, where axes of length 1 may be missing.

    Raises:
        ShapeError: the shapes don't fit.
    """
    if _shape(prediction) != _shape(t):
        raise ShapeError(
            f"predictions have the shape {prediction.shape}, and targets {t.shape}",
            expected="a prediction for each value",
            remedy="give the last layer one unit per value",
        )
    above: NDArray[np.float64] = np.subtract(prediction.reshape(t.shape), t, dtype=np.float64)
    return above


def _shape(array: Array) -> tuple[int, ...]:
    return (len(array), *(length for length in array.shape[1:] if length > 1))
