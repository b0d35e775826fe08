"""Differences of predictions and targets, for metrics of real values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Classes, Metric, ShapeError, Target
from mlpkit_plugins.metrics.wrong_target import wrong_target


def require_real_values(metric: Metric, target: Target) -> None:
    """Require numbers as the target, one for each prediction; one-hot rows and labels are numbers too.

    Raises:
        ShapeError: the target is class numbers.
    """
    if isinstance(target, Classes) and not target.one_hot:
        raise wrong_target(metric, target, "real values")


def deviations(prediction: Array, t: Array) -> NDArray[np.float64]:
    """Return prediction - t in float64, in the shape of the targets.

    Args:
        prediction: real values, shape (rows, ...).
        t: targets of the same rows, the same shape except that axes of length 1 may be missing.

    Raises:
        ShapeError: the shapes don't fit.
    """
    if _shape(prediction) != _shape(t):
        raise ShapeError(
            f"predictions have the shape {prediction.shape}, and targets {t.shape}",
            expected="a prediction for each value",
            remedy="give the last layer one unit per value",
        )
    above: NDArray[np.float64] = np.subtract(prediction.reshape(t.shape), t, dtype=np.float64)
    return above


def _shape(array: Array) -> tuple[int, ...]:
    return (len(array), *(length for length in array.shape[1:] if length > 1))
