"""Numbers that mark a missing value, such as -999 in a column of temperatures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST_OTHERS: Final = 10
"""With fewer other numbers, their range is too uncertain."""

FEWEST_ROWS: Final = 5
"""A number with fewer rows may be a rare one, or a mistake."""

MUCH_MORE_OFTEN: Final = 5
"""How many times as frequent as the least other number -1 must be; otherwise it may be part of their range."""

_NINES: Final = re.compile(r"-?9+(\.9+)?")


class Outlier(NamedTuple):
    """The least or greatest number of a column if many rows have it, and the range of the others, far from it."""

    value: float
    rows: int
    least: float
    greatest: float

    @property
    def is_code(self) -> bool:
        """Whether it looks like a code: the only negative number, or all nines; others may be the top of a scale."""
        return self.value < 0 <= self.least or _NINES.fullmatch(f"{self.value:.12g}") is not None

    def __str__(self) -> str:
        """Return the evidence for a missing value."""
        return f"{self.value:.12g} in {self.rows:,} rows, all others from {self.least:,.12g} to {self.greatest:,.12g}"


def outlier_in(numbers: NDArray[np.float64]) -> Outlier | None:
    """Return the number of a column that may mark a missing value; None if there isn't one.

    It is the least or greatest number, at least five rows have it, and its distance from the other numbers is larger
    than their range. -1 below non-negative numbers only has to be five times as frequent as the least of them. 0 never
    marks a missing value.
    """
    values, counts = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
    if len(values) <= FEWEST_OTHERS:
        return None
    for end, others, nearest in ((0, values[1:], 1), (-1, values[:-1], -2)):
        value, rows = float(values[end]), int(counts[end])
        if value == 0 or rows < FEWEST_ROWS:
            continue
        far = abs(value - values[nearest]) > others[-1] - others[0]
        if far or (value == -1 and others[0] >= 0 and rows >= MUCH_MORE_OFTEN * counts[nearest]):
            return Outlier(value, rows, float(others[0]), float(others[-1]))
    return None


def sentinels_in(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, Outlier]:
    """Return the numbers that most likely mark a missing value, by column.

    Such a number is far from all other numbers of its column, and looks like a code in this or another column.
    """
    outliers = {name: outlier for name, numbers in columns.items() if (outlier := outlier_in(numbers))}
    codes = {outlier.value for outlier in outliers.values() if outlier.is_code}
    return {name: outlier for name, outlier in outliers.items() if outlier.value in codes}
