"""The row numbers in the file of a table's rows."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
from numpy.typing import NDArray


class RowNumbers:
    """Row numbers, stored as runs of consecutive numbers."""

    def __init__(self) -> None:
        self._length = 0
        self._next = -1
        self._starts: list[int] = []
        self._numbers: list[int] = []

    def append(self, numbers: NDArray[np.int64]) -> None:
        """Append row numbers, in ascending order."""
        if not len(numbers):
            return
        if numbers[0] != self._next or numbers[-1] - numbers[0] >= len(numbers):
            breaks = np.flatnonzero(np.diff(numbers, prepend=self._next - 1) != 1)
            self._starts += (breaks + self._length).tolist()
            self._numbers += numbers[breaks].tolist()
        self._length += len(numbers)
        self._next = int(numbers[-1]) + 1

    def __getitem__(self, position: int) -> int:
        """Return the file's row number at a position of the table."""
        run = bisect_right(self._starts, position) - 1
        return self._numbers[run] + int(position) - self._starts[run]

    def at(self, positions: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the file's row numbers at positions of the table."""
        starts, numbers = np.array(self._starts, np.int64), np.array(self._numbers, np.int64)
        runs = np.searchsorted(starts, positions, side="right") - 1
        return numbers[runs] + positions - starts[runs]
