"""Numbers that stand for a missing value, such as -999 among temperatures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FEWEST_OTHERS: Final = 10
"""With fewer other numbers, little can be said of their range."""

FEWEST_ROWS: Final = 5
"""A number with fewer rows may be a rare one, or a mistake."""

MUCH_MORE_OFTEN: Final = 5
"""-1 is so many times as often as the least of the others, unless it goes on from them."""

_NINES: Final = re.compile(r"-?9+(\.9+)?")


class Outlier(NamedTuple):
    """A number at an end of a column, far from all others, that many rows have.

    Args:
        value: the number.
        rows: how many rows have it.
        least: the least of the others.
        greatest: the greatest of the others.
    """

    value: float
    rows: int
    least: float
    greatest: float

    @property
    def is_code(self) -> bool:
        """Whether it looks like a code: below 0 and the others not, or all nines; others may be the top of a scale."""
        return self.value < 0 <= self.least or _NINES.fullmatch(f"{self.value:.12g}") is not None

    def __str__(self) -> str:
        """Say what speaks for a missing value."""
        return f"{self.value:.12g} in {self.rows:,} rows, all others from {self.least:,.12g} to {self.greatest:,.12g}"


def outlier_in(numbers: NDArray[np.float64]) -> Outlier | None:
    """Return the number of a column that may stand for a missing value; None if there isn't one.

    It is the least or the greatest, five rows or more have it, and it is farther from the others than they are from
    each other. -1 below numbers from 0 up only has to be five times as often as the least of them. 0 never is one.

    Args:
        numbers: the column, NaN where a value is missing.
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
    """Return the numbers that most likely stand for a missing value, by column.

    Such a number is far from all others of its column, and looks like a code there or in another column.

    Args:
        columns: the columns of numbers, by name.
    """
    outliers = {name: found for name, numbers in columns.items() if (found := outlier_in(numbers))}
    codes = {found.value for found in outliers.values() if found.is_code}
    return {name: found for name, found in outliers.items() if found.value in codes}
