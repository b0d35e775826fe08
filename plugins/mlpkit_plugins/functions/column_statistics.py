"""Statistics of columns of numbers, from blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array


def means_and_deviations(
    parts: Callable[[], Iterable[Array]], columns: int, of_constant: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each column, without missing numbers.

    Args:
        parts: returns blocks of rows, shape (rows, columns), NaN for missing numbers.
        columns: number of columns.
        of_constant: the standard deviation to return for a constant column.
    """
    counts, sums, squares = np.zeros(columns), np.zeros(columns), np.zeros(columns)
    for values in parts():
        present = ~np.isnan(values)
        counts += present.sum(axis=0)
        sums += np.where(present, values, 0).sum(axis=0)
    counts = np.maximum(counts, 1)
    means = sums / counts
    for values in parts():
        deviations = values - means
        squares += np.where(np.isnan(deviations), 0, deviations * deviations).sum(axis=0)
    stds = np.sqrt(squares / counts)
    tiny = stds <= 1e-12 * np.abs(means)  # constant, up to rounding of the mean
    return means, np.where(tiny, of_constant, stds)
