"""What precision, recall and F1 share: counts for each class, and an average over the classes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import NDArray

from mlpkit import Classes, Labels, Metric, ParameterError, Target

Counts: TypeAlias = NDArray[np.int64]


class AveragedOverClasses(Metric):
    """A ratio of counts, found for each class and averaged over them; a subclass says which, in ``fraction``.

    Counted is, for each class, how many examples were rightly predicted to be of it, how many were predicted to be of
    it, and how many are of it. As in scikit-learn, 0 / 0 is 0, and a class that was neither predicted nor there has no
    part in an average; a label has.
    """

    def __init__(
        self,
        average: Literal["binary", "macro", "micro", "weighted"] = "macro",
        *,
        threshold: Annotated[float, Gt(0), Lt(1)] | None = None,
    ) -> None:
        self.average = average
        self.threshold = threshold
        self.labels = False
        self.seen = 0
        self.counts: Counts = np.zeros((3, 1), np.int64)

    @abstractmethod
    def fraction(self, right: Counts, predicted: Counts, actual: Counts) -> tuple[Counts, Counts]:
        """Return numerator and denominator of the figure, by class."""

    def update(self, prediction: NDArray[Any], t: NDArray[Any]) -> None:
        """Count what was predicted, and what there is.

        Raises:
            ParameterError: the average is ``binary``, and there are other than two classes.
        """
        p = prediction if prediction.ndim == 2 else prediction[:, None]
        columns = p.shape[1]
        self.labels = columns > 1 and self.threshold is not None
        if self.average == "binary" and (self.labels or columns > 2):
            raise ParameterError(
                "average",
                f"binary is for two classes, and there are {columns} {'labels' if self.labels else 'classes'}",
                expected="macro, micro or weighted",
            )
        if self.labels:
            counts = _counts_of_labels(p >= self.threshold, t > 0)
        elif columns == 1:
            counts = _counts_of_classes(p[:, 0] >= (self.threshold or 0.5), t.reshape(len(t)), 2)
        else:
            counts = _counts_of_classes(p.argmax(axis=1), t if t.ndim == 1 else t.argmax(axis=1), columns)
        self.counts = self.counts + counts
        self.seen += len(t)

    def merge(self, other: Self) -> None:
        """Add another object's counts."""
        self.counts = self.counts + other.counts
        self.seen += other.seen
        self.labels = self.labels or other.labels

    def result(self) -> float:
        """Return the average."""
        if not self.seen:
            return float("nan")
        counts = self.counts
        if self.average == "binary":
            counts = counts[:, 1:]
        elif self.average == "micro":
            counts = counts.sum(axis=1, keepdims=True)
        elif not self.labels:
            counts = counts[:, counts.any(axis=0)]
        numerator, denominator = self.fraction(*counts)
        figures = numerator / np.maximum(denominator, 1)  # where the denominator is 0, so is the numerator
        actual = counts[2]
        weights = actual if self.average == "weighted" and actual.any() else None
        return float(np.average(figures, weights=weights))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show every average, for classes as numbers and as rows, and for labels."""
        return [
            ({}, Classes(4)),
            ({"average": "binary"}, Classes(2)),
            ({"average": "weighted"}, Classes(3, one_hot=True)),
            ({"average": "micro", "threshold": 0.5}, Labels(3)),
        ]


def _counts_of_classes(predicted: NDArray[Any], actual: NDArray[Any], classes: int) -> Counts:
    """Return how many are right, predicted and actual, of examples that each are of one class."""
    predicted, actual = predicted.astype(np.int64), actual.astype(np.int64)
    return np.array([np.bincount(a, minlength=classes) for a in (actual[actual == predicted], predicted, actual)])


def _counts_of_labels(predicted: NDArray[np.bool_], actual: NDArray[np.bool_]) -> Counts:
    """Return how many are right, predicted and actual, of examples that each have any number of labels."""
    return np.array([np.count_nonzero(a, axis=0) for a in (actual & predicted, predicted, actual)])
