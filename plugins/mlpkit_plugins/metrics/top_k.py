"""The share of predictions that are right within k guesses."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from mlpkit import Array, Classes, Target
from mlpkit_plugins.metrics.mean import ShareOfRows
from mlpkit_plugins.metrics.targets import wrong_target


class TopK(ShareOfRows):
    """Share of examples whose class is among the k most probable ones.

        top_k = right / seen

    If several classes are equally probable, the last one ranks first, as in scikit-learn. A row with weight w counts w
    times.

    Args:
        k: number of guesses.

    Shapes: prediction (rows, classes), t (rows,) or one-hot (rows, classes).

    Raises:
        ShapeError: the target is not classes.

    Source: Russakovsky and others, ImageNet Large Scale Visual Recognition Challenge (2015), section 4.1, where
        1 - top_k is the error, with k = 5.
    """

    k: Annotated[int, Ge(1)] = 5

    def expect_target(self, target: Target) -> None:
        """Require classes as the target."""
        if not isinstance(target, Classes):
            raise wrong_target(self, target, "classes")

    def are_right(self, prediction: Array, t: Array) -> NDArray[np.bool_]:
        """Return whether the target is among the k best of a row."""
        classes = prediction.shape[1]
        target = (t if t.ndim == 1 else t.argmax(axis=1))[:, None]
        p = np.take_along_axis(prediction, target, axis=1)
        behind = (prediction < p) | ((prediction == p) & (np.arange(classes) < target))
        rank = classes - np.count_nonzero(behind, axis=1)
        right: NDArray[np.bool_] = rank <= self.k
        return right

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it with two guesses, for classes as numbers and as rows."""
        return [({"k": 2}, Classes(5)), ({"k": 2}, Classes(4, one_hot=True)), ({}, Classes(10))]
