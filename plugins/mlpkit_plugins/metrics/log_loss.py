"""Log loss."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from mlpkit import Array, Classes, Labels, Target, Values
from mlpkit_plugins.metrics.mean import Mean, counted_all
from mlpkit_plugins.metrics.targets import actual_classes, wrong_target


class LogLoss(Mean):
    """Mean negative logarithm of the probability that is predicted for what is true, in nats.

        log_loss = mean over rows of  -log p of the row's class
                 = mean over rows and labels of  -t log p - (1 - t) log(1 - p)

    Probabilities count as at least the smallest normal number of their dtype. Unlike the loss, it knows neither label
    smoothing nor weights of classes. A row with weight w counts w times.

    Shapes: prediction (rows, classes), t (rows,) or one-hot (rows, classes); or prediction and t (rows, labels).

    Raises:
        ShapeError: the target is real values.

    Source: Good, Rational Decisions (1952), section 8.
    """

    higher_is_better: ClassVar[bool] = False
    unit: ClassVar[str] = "nats"
    of_classes = True

    def expect_target(self, target: Target) -> None:
        """Require classes or labels as the target, and keep which."""
        if isinstance(target, Values):
            raise wrong_target(self, target, "classes or labels")
        self.of_classes = isinstance(target, Classes)

    def update(self, prediction: Array, t: Array, weights: Array | None = None) -> None:
        """Add the losses of the rows."""
        if self.of_classes:
            p = prediction[np.arange(len(t)), actual_classes(t)][:, np.newaxis]
        else:
            p = np.where(t > 0, prediction, 1 - prediction)
        losses = -np.log(np.maximum(p, np.finfo(p.dtype).tiny), dtype=np.float64).mean(axis=1)
        self.total += float(losses.sum() if weights is None else weights @ losses)
        self.count += counted_all(t, weights)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it for classes, as numbers and as rows, and for labels."""
        return [({}, Classes(3)), ({}, Classes(2, one_hot=True)), ({}, Labels(3))]
