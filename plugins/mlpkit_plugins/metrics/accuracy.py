"""The share of right predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mlpkit import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Accuracy(Metric):
    """Share of examples whose most probable class is the right one.

        accuracy = right / seen

    Where several classes are equally probable, the first counts as predicted.
    """

    def __init__(self) -> None:
        self.right = 0
        self.seen = 0

    def update(self, prediction: NDArray[Any], t: NDArray[Any]) -> None:
        """Count the rows whose largest entry stands at the target."""
        labels = t if t.ndim == 1 else t.argmax(axis=1)
        self.right += int(np.count_nonzero(prediction.argmax(axis=1) == labels))
        self.seen += len(labels)

    def merge(self, other: Self) -> None:
        """Add another object's counts."""
        self.right += other.right
        self.seen += other.seen

    def result(self) -> float:
        """Return right / seen."""
        return self.right / self.seen if self.seen else float("nan")
