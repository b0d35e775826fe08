"""The pinball loss, whose best prediction is a quantile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Gt, Lt

from mlpkit_plugins.losses.mean_over_rows import mean_of, shares_of_rows
from mlpkit_plugins.losses.real_values import RealValuesLoss

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Pinball(RealValuesLoss):
    """Pinball loss: its best prediction is a quantile of the target, the value that the target stays below that often.

        r    = x - t
        loss = mean of max((1 - quantile) r, -quantile r) over rows and elements
        dx   = dloss (1 - quantile) / count if r > 0, -dloss quantile / count if r < 0, 0 if r = 0

    Here count is the number of rows times that of elements in each. If rows have weights w, the mean over them is
    Σ w loss / Σ w.

    Args:
        quantile: the share of targets that lie below the prediction; 0.5 for the median.

    Shapes: x and t alike, of any shape.

    Raises:
        ShapeError: the data's target is not real values of the shape of an input, or targets given are not numbers of
            the shape of x.

    Source: Koenker and Bassett, Regression Quantiles (1978), section 3.
    """

    unit = "{target}"

    def __init__(self, quantile: Annotated[float, Gt(0), Lt(1)] = 0.5) -> None:
        self.quantile = quantile

    def forward(self, x: NDArray[Any], t: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
        """Return the mean of max((1 - quantile) r, -quantile r)."""
        self.r, self.weights = self.residual(x, t), weights
        above = np.multiply(self.r, 1 - self.quantile, out=self.buffer("above", x.shape))
        below = np.multiply(self.r, -self.quantile, out=self.buffer("below", x.shape))
        return mean_of(np.maximum(above, below, out=above), weights)

    def backward(self, dloss: float = 1.0) -> NDArray[Any]:
        """Return dx."""
        dx = self.buffer("dx", self.r.shape)
        np.copyto(dx, (self.r > 0) * (1 - self.quantile) - (self.r < 0) * self.quantile)
        share = dloss / dx.size if self.weights is None else shares_of_rows(dloss, dx, self.weights)
        np.multiply(dx, share, out=dx)
        return dx

    def best_constant(self, t: NDArray[Any], weights: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the quantile over rows: that share of their weight lies at or below it."""
        of_rows = np.ones(len(t)) if weights is None else weights
        order = np.argsort(t, axis=0)
        below = np.cumsum(of_rows[order], axis=0)
        first = np.argmax(below >= self.quantile * of_rows.sum(), axis=0)
        found: NDArray[Any] = np.take_along_axis(np.take_along_axis(t, order, axis=0), first[np.newaxis], axis=0)[0]
        return found

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss for the median and for a high quantile, on one value and on several."""
        return [({}, (1,)), ({"quantile": 0.9}, (2, 3))]
