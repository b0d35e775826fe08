"""Which class was taken for which."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import NDArray

from mlpkit import Classes, Metric, Target


class ConfusionMatrix(Metric):
    """Counts, for each class, how often it was taken for which: a row for each class, a column for each prediction.

        C[i, j] = Σ [t = i and predicted = j]  (over the examples)

    The predicted class is the most probable one, the first of several; a single column holds the probability of class
    1. The matrix stands in ``metrics.json`` and in what ``mlpkit evaluate`` shows.

    Args:
        threshold: probability from which class 1 is predicted, where a single column holds it.

    Source: Stehman, Selecting and Interpreting Measures of Thematic Classification Accuracy (1997); rows and columns
        are as in scikit-learn.
    """

    table: ClassVar[tuple[str, str] | None] = ("target", "predicted")

    def __init__(self, *, threshold: Annotated[float, Gt(0), Lt(1)] = 0.5) -> None:
        self.threshold = threshold
        self.counts: NDArray[np.int64] = np.zeros((1, 1), np.int64)

    def update(self, prediction: NDArray[Any], t: NDArray[Any]) -> None:
        """Count each pair of class and prediction."""
        p = prediction.reshape(len(prediction), -1)
        if p.shape[1] == 1:
            classes, predicted, actual = 2, p[:, 0] >= self.threshold, t.reshape(len(t))
        else:
            classes, predicted = p.shape[1], p.argmax(axis=1)
            actual = t if t.ndim == 1 else t.argmax(axis=1)
        pairs = actual.astype(np.int64) * classes + predicted
        self.counts = self.counts + np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    def merge(self, other: Self) -> None:
        """Add another object's counts."""
        self.counts = self.counts + other.counts

    def result(self) -> list[list[int]]:
        """Return C as rows; a single 0 if nothing was seen."""
        counts: list[list[int]] = self.counts.tolist()
        return counts

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it for two classes, and for more, as numbers and as rows."""
        return [({}, Classes(2)), ({}, Classes(4)), ({}, Classes(3, one_hot=True))]
