"""Huber's loss."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Gt

from mlpkit import Array
from mlpkit_plugins.losses.mean_over_rows import mean_of, share_of_each
from mlpkit_plugins.losses.real_values import RealValuesLoss


class Huber(RealValuesLoss):
    """Huber's loss: quadratic in small differences to the target values, linear in large ones.

        r    = x - t,  c = min(|r|, delta)
        loss = mean of c (|r| - c / 2) over rows and elements
        dx   = dloss clip(r, -delta, delta) / count

    Up to delta, c (|r| - c / 2) is r² / 2; beyond it, delta (|r| - delta / 2). Here count is the number of rows times
    the elements of each. If rows have weights w, the mean over them is Σ w loss / Σ w.

    Args:
        delta: the difference above which the loss is linear, in the unit of x.

    Shapes: x of any shape, t of the same shape.

    Raises:
        ShapeError: the data's target is not real values of the shape of an input, or the targets are not numbers of the
            shape of x.

    Source: Huber, Robust Estimation of a Location Parameter (1964), where delta is called k.
    """

    unit = "{target}²"

    delta: Annotated[float, Gt(0)] = 1.0

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean of c (|r| - c / 2)."""
        self.r, self.weights = self.residual(x, t), weights
        absolute = np.abs(self.r, out=self.buffer("absolute", x.shape))
        c = np.minimum(absolute, self.delta, out=self.buffer("c", x.shape))
        losses = np.multiply(c, -0.5, out=self.buffer("losses", x.shape))
        np.add(losses, absolute, out=losses)
        return mean_of(np.multiply(losses, c, out=losses), weights)

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx = dloss clip(r, -delta, delta) / count."""
        dx = self.buffer("dx", self.r.shape)
        np.clip(self.r, -self.delta, self.delta, out=dx)
        np.multiply(dx, share_of_each(dloss, dx, self.weights), out=dx)
        return dx

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the default delta and a smaller one, on one value and on several."""
        return [({}, (1,)), ({"delta": 0.5}, (2, 3))]
