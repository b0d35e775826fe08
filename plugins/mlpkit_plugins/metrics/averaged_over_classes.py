"""The base of precision, recall and F1: counts of each class, and an average over the classes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import NDArray

from mlpkit import Array, Classes, Labels, Metric, ParameterError, Target
from mlpkit_plugins.metrics.mean import counted_all
from mlpkit_plugins.metrics.targets import actual_classes, predicted_classes, require_two_classes, wrong_target

Counts: TypeAlias = Array
"""Numbers of examples, or sums of their weights."""


class AveragedOverClasses(Metric):
    """A ratio of counts, averaged over classes; a subclass defines it in ``fraction``.

    It counts the true, the predicted and the actual positives of each class. As in scikit-learn, 0 / 0 is 0, and
    averages leave out a class that neither predictions nor targets contain, but not a label. A row with weight w counts
    w times.
    """

    takes_weights = True

    def __init__(
        self,
        average: Literal["binary", "macro", "micro", "weighted"] = "macro",
        *,
        threshold: Annotated[float, Gt(0), Lt(1)] | None = None,
    ) -> None:
        """Choose the average and how classes are predicted.

        Args:
            average: how the values of the classes are averaged: ``binary``, only class 1, of two; ``macro``, the mean
                over the classes that occur, in the targets or in the predictions; ``micro``, the same ratio, of the
                sums over all classes; ``weighted``, the mean, in which each class counts as many times as it occurs in
                the targets.
            threshold: probability from which class 1, of two, is predicted; by default, the most probable class is,
                the first if several are equal. Labels are predicted one by one; they need a threshold, and all of them
                count as occurring.
        """
        self.average = average
        self.threshold = threshold
        self.target: Target | None = None
        self.seen = 0.0
        self.counts: Counts = np.zeros((3, 1), np.int64)

    @property
    def of_labels(self) -> bool:
        """Whether the target is several labels; a single label is treated as two classes."""
        return isinstance(self.target, Labels) and self.target.count > 1

    @abstractmethod
    def fraction(self, right: Counts, predicted: Counts, actual: Counts) -> tuple[Counts, Counts]:
        """Return the numerator and the denominator of each class."""

    def expect_target(self, target: Target) -> None:
        """Require classes or labels that suit average and threshold, and keep them."""
        if not isinstance(target, Classes | Labels):
            raise wrong_target(self, target, "classes or labels")
        if self.average == "binary" and target.count > (1 if isinstance(target, Labels) else 2):
            expected = "macro, micro or weighted"
            raise ParameterError("average", f"binary is for two classes, but there are {target}", expected=expected)
        if isinstance(target, Classes):
            require_two_classes(self.threshold, target.count)
        elif target.count > 1 and self.threshold is None:
            raise ParameterError(
                "threshold",
                f"{self.registered_name} of {target} needs a threshold to predict a label from its probability",
                expected="a number between 0 and 1",
                remedy=f"give one, as in {self.registered_name}: {{threshold: 0.5}}",
            )
        self.target = target

    def update(self, prediction: Array, t: Array, weights: Array | None = None) -> None:
        """Count predictions and targets.

        Unless ``expect_target`` was called, a threshold means that rows of targets are labels, not one-hot.
        """
        p = prediction if prediction.ndim == 2 else prediction[:, None]
        if self.target is None:
            count = p.shape[1]
            are_labels = self.threshold is not None and t.ndim == 2 and count > 1
            self.expect_target(Labels(count) if are_labels else Classes(max(count, 2)))
        if self.of_labels:
            assert self.threshold is not None
            counts = _counts_of_labels(p >= self.threshold, t > 0, weights)
        else:
            predicted = predicted_classes(p, self.threshold)
            counts = _counts_of_classes(predicted, actual_classes(t), max(p.shape[1], 2), weights)
        self.counts = self.counts + counts
        self.seen += counted_all(t, weights)

    def merge(self, other: Self) -> None:
        """Add another object's counts."""
        self.counts = self.counts + other.counts
        self.seen += other.seen
        self.target = self.target or other.target

    def result(self) -> float:
        """Return the average."""
        if not self.seen:
            return float("nan")
        counts = self.counts
        if self.average == "binary":
            counts = counts[:, 1:]
        elif self.average == "micro":
            counts = counts.sum(axis=1, keepdims=True)
        elif not self.of_labels:
            counts = counts[:, counts.any(axis=0)]
        numerator, denominator = self.fraction(*counts)
        figures = numerator / np.where(denominator > 0, denominator, 1)  # if the denominator is 0, so is the numerator
        actual = counts[2]
        weights = actual if self.average == "weighted" and actual.any() else None
        return float(np.average(figures, weights=weights))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show every average, for classes as numbers and as rows, and for labels."""
        return [
            ({}, Classes(4)),
            ({"average": "binary", "threshold": 0.3}, Classes(2)),
            ({"average": "weighted"}, Classes(3, one_hot=True)),
            ({"average": "micro", "threshold": 0.5}, Labels(3)),
        ]


def _counts_of_classes(
    predicted: NDArray[np.int64], actual: NDArray[np.int64], classes: int, weights: Array | None
) -> Counts:
    """Return the right, predicted and actual counts of examples with one class each."""
    right = actual == predicted
    found = (
        (actual[right], None if weights is None else weights[right]),
        (predicted, weights),
        (actual, weights),
    )
    return np.array([np.bincount(numbers, of_rows, minlength=classes) for numbers, of_rows in found])


def _counts_of_labels(predicted: NDArray[np.bool_], actual: NDArray[np.bool_], weights: Array | None) -> Counts:
    """Return the right, predicted and actual counts of examples with any number of labels each."""
    found = (actual & predicted, predicted, actual)
    return np.array([np.count_nonzero(a, axis=0) if weights is None else weights @ a for a in found])
