"""The base of metrics that are the mean error of all predicted values."""

from __future__ import annotations

from abc import abstractmethod
from math import prod
from typing import Any

from mlpkit import Array, Labels, Target, Values
from mlpkit_plugins.metrics.deviations import deviations, require_real_values
from mlpkit_plugins.metrics.mean import Mean, counted_all


class MeanError(Mean):
    """The mean over all values of a function of prediction - t, which a subclass defines.

    Raises:
        ShapeError: the target is class numbers, or the predictions don't have the shape of the values.
    """

    higher_is_better = False

    @abstractmethod
    def error(self, deviation: Array) -> Array:
        """Return the error of each value.

        Args:
            deviation: prediction - t, shape (rows, ...).
        """

    def expect_target(self, target: Target) -> None:
        """Require real values as the target, or rows of zeros and ones, which are compared like them."""
        require_real_values(self, target)

    def update(self, prediction: Array, t: Array, weights: Array | None = None) -> None:
        """Add the errors.

        Args:
            prediction: real values, shape (rows, ...).
            t: targets of the same rows, the same shape except that axes of length 1 may be missing.
            weights: the weight of each row; None if all are equal.

        Raises:
            ShapeError: the predictions don't have the shape of the values.
        """
        errors = self.error(deviations(prediction, t))
        self.total += float(errors.sum() if weights is None else (errors.T @ weights).sum())
        self.count += counted_all(t, weights) * prod(t.shape[1:])

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it on a single value, on several, and on labels."""
        return [({}, Values(())), ({}, Values((3,))), ({}, Labels(3))]
