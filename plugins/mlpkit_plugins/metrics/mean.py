"""The bases of metrics that are a mean, or a share of the rows."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Metric


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
