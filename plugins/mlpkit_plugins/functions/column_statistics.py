"""Statistics of columns of numbers whose rows come some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from mlpkit import Array


def means_and_deviations(
    parts: Callable[[], Iterable[Array]], columns: int, of_constant: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each column, without missing numbers.

    Args:
        parts: returns the rows, some at a time, shape (some rows, columns), NaN where a number is missing.
        columns: number of columns.
        of_constant: the standard deviation of a column in which all numbers are equal.
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
    tiny = stds <= 1e-12 * np.abs(means)  # all values are equal, up to rounding of their mean
    return means, np.where(tiny, of_constant, stds)
