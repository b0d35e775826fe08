"""Statistics of columns whose rows come some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ColumnStatistics(NamedTuple):
    """What the values of a column are like.

    Args:
        least: the smallest.
        greatest: the largest.
        mean: their mean.
        std: their standard deviation.
    """

    least: float
    greatest: float
    mean: float
    std: float


class StatisticsOfColumns:
    """Gathers them.

    Args:
        columns: number of columns.

    Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance", 1983.
    """

    def __init__(self, columns: int) -> None:
        self._count = 0
        self._means = np.zeros(columns)
        self._squares = np.zeros(columns)
        self._least = np.full(columns, np.inf)
        self._greatest = np.full(columns, -np.inf)

    def update(self, rows: NDArray[Any]) -> None:
        """Take account of rows, shape (rows, columns)."""
        values = rows.astype(np.float64)
        means, count = values.mean(axis=0), len(values)
        difference, together = means - self._means, self._count + count
        self._squares += ((values - means) ** 2).sum(axis=0) + difference**2 * (self._count * count / together)
        self._means += difference * (count / together)
        self._count = together
        np.minimum(self._least, values.min(axis=0), out=self._least)
        np.maximum(self._greatest, values.max(axis=0), out=self._greatest)

    def result(self) -> tuple[ColumnStatistics, ...]:
        """Return the statistics of each column."""
        stds = np.sqrt(self._squares / max(self._count, 1))
        found = zip(self._least, self._greatest, self._means, stds, strict=True)
        return tuple(ColumnStatistics(*map(float, column)) for column in found)
