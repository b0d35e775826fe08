"""Accuracy."""

from __future__ import annotations

from typing import Any, Self

from mlpkit import Array, Classes, Metric, Target
from mlpkit_plugins.metrics.counting import counted, counted_all
from mlpkit_plugins.metrics.wrong_target import wrong_target


class Accuracy(Metric):
    """Share of examples whose most probable class is the right one.

        accuracy = right / seen

    If several classes are equally probable, the first is the prediction. A row with weight w counts w times.

    Shapes: prediction (rows, classes), t (rows,) or one-hot (rows, classes).

    Raises:
        ShapeError: the target is not classes.

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), section 7.2, where the mean
        0-1 loss is 1 - accuracy.
    """

    takes_weights = True

    def __init__(self) -> None:
        self.right = 0.0
        self.seen = 0.0

    def expect_target(self, target: Target) -> None:
        """Require classes as the target."""
        if not isinstance(target, Classes):
            raise wrong_target(self, target, "classes")

    def update(self, prediction: Array, t: Array, weights: Array | None = None) -> None:
        """Count the rows whose largest entry is at the target."""
        labels = t if t.ndim == 1 else t.argmax(axis=1)
        self.right += counted(prediction.argmax(axis=1) == labels, weights)
        self.seen += counted_all(t, weights)

    def merge(self, other: Self) -> None:
        """Add another object's counts."""
        self.right += other.right
        self.seen += other.seen

    def result(self) -> float:
        """Return right / seen."""
        return self.right / self.seen if self.seen else float("nan")

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it for two classes, and for more, as numbers and as rows."""
        return [({}, Classes(2)), ({}, Classes(5)), ({}, Classes(3, one_hot=True))]
