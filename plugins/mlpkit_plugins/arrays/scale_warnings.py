"""Inputs far from the scale at which networks learn well."""

from __future__ import annotations

from math import prod
from typing import Final

import numpy as np

from mlpkit import DataWarning
from mlpkit_plugins.formats.rows_on_disk import Rows

LARGE: Final = 10.0
SMALL: Final = 0.01
ROWS_LOOKED_AT: Final = 10_000


def warnings_about_scale(inputs: Rows, divide_by: float) -> tuple[DataWarning, ...]:
    """Return a warning about the element of the inputs whose scale is farthest from 1, if it is far.

    Args:
        inputs: examples, shape (rows, ...).
        divide_by: the number by which they are divided.
    """
    if not prod(inputs.shape):
        return ()
    with np.errstate(over="ignore", invalid="ignore"):
        rows = np.asarray(inputs[:ROWS_LOOKED_AT], np.float64) / divide_by
        means, stds = rows.mean(axis=0), rows.std(axis=0)
    scales = np.maximum(np.abs(means), stds)
    far = np.isfinite(scales) & (stds > 0) & ((scales > LARGE) | (scales < SMALL))
    if not far.any():
        return ()
    place = np.unravel_index(np.abs(np.log(np.where(far, scales, 1))).argmax(), scales.shape)
    which = f"column {place[0]}" if len(place) == 1 else f"element {[*map(int, place)]}" if place else "the number"
    scale = f"the mean {means[place]:.4g} and the standard deviation {stds[place]:.4g}"
    message = f"{which} of x, counted from 0, has {scale}; networks learn best near 0 and 1"
    return (DataWarning("standardize", message, "pass standardize=True to scale inputs"),)
