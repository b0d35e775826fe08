"""The share of targets in their predicted intervals."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, ShapeError, Target, Values
from mlpkit_plugins.metrics.mean import ShareOfRows


class Coverage(ShareOfRows):
    """Share of targets within their predicted intervals.

        coverage = #{low ≤ t ≤ high} / n

    With ``Pinball`` an interval reaches from the lowest to the highest of its quantiles. Compare the share with what
    these promise: 0.9 for the quantiles 0.05 and 0.95. A larger share isn't better, since a wide enough interval holds
    every target. A row with weight w counts w times.

    Shapes: prediction (rows, 2), the ends of each interval; t (rows,) or (rows, 1).

    Raises:
        ShapeError: the target is not one real value.

    Source: Khosravi, Nahavandi, Creighton and Atiya, Comprehensive Review of Neural Network-Based Prediction Intervals
        and New Advances (2011), where it is the coverage probability of prediction intervals.
    """

    sees = "interval"

    def expect_target(self, target: Target) -> None:
        """Require one real value as the target."""
        if not isinstance(target, Values) or prod(target.shape) != 1:
            raise ShapeError(
                f"{self.registered_name} is for one real value, but the data gives {target}",
                expected="data whose target is one real value",
                remedy=f"leave out {self.registered_name}",
            )

    def are_right(self, prediction: Array, t: Array) -> NDArray[np.bool_]:
        """Return whether a target is within its interval."""
        values = t.reshape(len(t))
        inside: NDArray[np.bool_] = (prediction[:, 0] <= values) & (values <= prediction[:, 1])
        return inside

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show it on a single value."""
        return [({}, Values(())), ({}, Values((1,)))]
