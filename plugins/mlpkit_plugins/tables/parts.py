"""Blocks of rows of a table, which bound scratch memory for any number of columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_VALUES: Final = 1 << 16
"""Values per block; in float64, half a megabyte."""

_FEWEST_ROWS: Final = 256


def parts(rows: int, columns: int) -> Iterator[slice]:
    """Return consecutive slices that cover all rows."""
    together = max(_VALUES // max(columns, 1), _FEWEST_ROWS)
    return (slice(begin, begin + together) for begin in range(0, rows, together))
