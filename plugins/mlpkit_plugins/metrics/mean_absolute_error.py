"""The mean absolute error."""

from __future__ import annotations

import numpy as np

from mlpkit import Array
from mlpkit_plugins.metrics.mean import MeanError


class MeanAbsoluteError(MeanError):
    """Mean distance of predictions from targets.

        mean_absolute_error = Σ |prediction - t| / n

    where n is the number of examples, or of values if each example has several.

    Shapes: prediction of any shape, t of the same shape; axes of length 1 may be missing in either.

    Raises:
        ShapeError: the target is class numbers, or the predictions don't have the shape of the values.

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), section 10.6.
    """

    unit = "{target}"

    def error(self, deviation: Array) -> Array:
        """Return |prediction - t|."""
        errors: Array = np.abs(deviation)
        return errors
