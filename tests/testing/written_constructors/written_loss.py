"""The loss HingeLoss."""

from typing import Annotated

import numpy as np
from annotated_types import Gt

from mlpkit import Classes, Loss, ShapeError, component, hookimpl


class HingeLoss(Loss):
    """Mean hinge loss: every class should score less than the right one, by a margin.

        h_j  = max(0, margin + x_j - x_t) for j ≠ t, else 0
        loss = mean over rows of  Σ h_j
        dx_j = dloss [h_j > 0] / rows for j ≠ t,  dx_t = -Σ dx_j

    Args:
        margin: how much less.

    Shapes: x (rows, classes), t (rows,).

    Source: Weston and Watkins, Multi-class Support Vector Machines (1998).
    """

    def __init__(self, margin: Annotated[float, Gt(0)] = 1.0):
        self.margin = margin

    def build(self, input_shape, target):
        """Make sure that there is a score for each class."""
        (scores,) = self.expect_rank(input_shape, 1, remedy="put Flatten before it")
        if target is not None and target != Classes(scores):
            raise ShapeError(
                f"{self.path} gets {scores} scores for {target}",
                expected="one score a class, and class numbers as targets",
            )

    def forward(self, x, t):
        """Return the mean over rows of Σ h."""
        self.t = t
        self.rows = np.arange(len(x))
        self.h = np.maximum(0, self.margin + x - x[self.rows, t][:, None])
        self.h[self.rows, t] = 0
        return float(self.h.sum(dtype=np.float64) / max(1, len(x)))

    def backward(self, dloss=1.0):
        """Return dx."""
        dx = (self.h > 0) * self.h.dtype.type(dloss / max(1, len(self.h)))
        dx[self.rows, self.t] = -dx.sum(axis=1)
        return dx

    @classmethod
    def examples(cls):
        """Show the loss with three and with five classes."""
        return [({}, (3,)), ({"margin": 0.5}, (5,))]


@hookimpl
def mlpkit_components():
    """Register the loss."""
    return [component("loss", "HingeLoss", HingeLoss)]
