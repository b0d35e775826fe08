"""The confusion matrix."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import NDArray

from mlpkit import Array, Classes, Metric, Target
from mlpkit_plugins.metrics.targets import actual_classes, predicted_classes, require_two_classes, wrong_target


class ConfusionMatrix(Metric):
    """Counts of each pair of true and predicted class: one row per class, one column per prediction.

        C[i, j] = Σ [t = i and predicted = j]  (over the examples)

    The predicted class is the most probable one, the first if several are equal; with a threshold it is class 1, of
    two, if its probability is at least the threshold. A single column holds the probability of class 1. The matrix is
    in ``metrics.json`` and in the output of ``mlpkit evaluate``. It counts examples, so they can't have weights.

    Args:
        threshold: probability from which class 1, of two, is predicted.

    Shapes: prediction (rows, classes), t (rows,) or one-hot (rows, classes); or, for two classes, prediction (rows,) or
        (rows, 1), t (rows,) or (rows, 1).

    Raises:
        ParameterError: there is a threshold, and there are more than two classes.
        ShapeError: the target is not classes.

    Source: Stehman, Selecting and Interpreting Measures of Thematic Classification Accuracy (1997); rows and columns
        are as in scikit-learn.
    """

    table: ClassVar[tuple[str, str] | None] = ("target", "predicted")

    counts: NDArray[np.int64] = np.zeros((1, 1), np.int64)

    _: KW_ONLY
    threshold: Annotated[float, Gt(0), Lt(1)] | None = None

    def expect_target(self, target: Target) -> None:
        """Require classes as the target, and only two if there is a threshold."""
        if not isinstance(target, Classes):
            raise wrong_target(self, target, "classes")
        require_two_classes(self.threshold, target.count)

    def update(self, prediction: Array, t: Array) -> None:
        """Count each pair of class and prediction.

        Raises:
            ParameterError: there is a threshold, and there are more than two classes.
        """
        p = prediction if prediction.ndim == 2 else prediction[:, None]
        classes = max(p.shape[1], 2)
        require_two_classes(self.threshold, classes)
        pairs = actual_classes(t) * classes + predicted_classes(p, self.threshold)
        self.counts = self.counts + np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    def merge(self, other: Self) -> None:
        """Add another object's counts."""
        self.counts = self.counts + other.counts

    def result(self) -> list[list[int]]:
        """Return the rows of C; a single 0 before any update."""
        counts: list[list[int]] = self.counts.tolist()
        return counts

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it for two classes, without and with a threshold, and for more, as numbers and as rows."""
        return [({}, Classes(2)), ({"threshold": 0.3}, Classes(2)), ({}, Classes(4)), ({}, Classes(3, one_hot=True))]
