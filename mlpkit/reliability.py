"""How often what is predicted with some probability happens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array


def calibration_bins(p: Array, happened: Array, weights: Array | None = None, bins: int = 15) -> NDArray[np.float64]:
    """Return for each of some bins of equal width, from 0 to 1, its rows, the sum of p, and how many happened.

    Args:
        p: predicted probabilities, shape (rows,).
        happened: whether what they are the probability of happened.
        weights: how much each row counts; None if all count 1.
        bins: the number of bins.

    Returns:
        Shape (3, bins); it may be added to that of other rows.
    """
    counts = np.ones(len(p)) if weights is None else weights
    places = np.minimum((p * bins).astype(int), bins - 1)
    return np.stack([np.bincount(places, counts * each, bins) for each in (np.ones(len(p)), p, happened)])


def expected_calibration_error(bins: NDArray[np.float64]) -> float:
    """Return the mean difference of mean probability and observed frequency, each bin counted by its rows.

    That is Σ |Σ p - Σ happened| / rows, the outer sum over the bins that ``calibration_bins`` returns, an estimate of
    the expected calibration error.
    """
    rows, predicted, happened = bins
    return float(np.abs(predicted - happened).sum() / rows.sum()) if rows.any() else float("nan")
