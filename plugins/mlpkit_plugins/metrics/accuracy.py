"""Accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Classes, Target
from mlpkit_plugins.metrics.mean import ShareOfRows
from mlpkit_plugins.metrics.targets import wrong_target


class Accuracy(ShareOfRows):
    """Share of examples whose most probable class is the right one.

        accuracy = right / seen

    If several classes are equally probable, the first is the prediction. A row with weight w counts w times.

    Shapes: prediction (rows, classes), t (rows,) or one-hot (rows, classes).

    Raises:
        ShapeError: the target is not classes.

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), section 7.2, where the mean
        0-1 loss is 1 - accuracy.
    """

    def expect_target(self, target: Target) -> None:
        """Require classes as the target."""
        if not isinstance(target, Classes):
            raise wrong_target(self, target, "classes")

    def are_right(self, prediction: Array, t: Array) -> NDArray[np.bool_]:
        """Return whether the largest entry of a row is at the target."""
        right: NDArray[np.bool_] = prediction.argmax(axis=1) == (t if t.ndim == 1 else t.argmax(axis=1))
        return right

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it for two classes, and for more, as numbers and as rows."""
        return [({}, Classes(2)), ({}, Classes(5)), ({}, Classes(3, one_hot=True))]
