"""Checks that all numbers of an array are finite."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from mlpkit import Array, DataError
from mlpkit_plugins.formats.rows_on_disk import Rows

_VALUES_TOGETHER: Final = 1 << 18
"""Numbers checked at a time; in float64, two megabytes."""


def check_finite(rows: Rows, name: str) -> float:
    """Check that all numbers are finite, and return an upper bound on their absolute values.

    They are read once, block by block; integers aren't read.

    Args:
        rows: an array with a row for each example.
        name: its name in messages.

    Raises:
        DataError: a number is NaN or infinite.
    """
    if rows.dtype.kind != "f":
        return float(np.iinfo(rows.dtype).max) if rows.dtype.kind in "iu" else 1.0
    largest = 0.0
    for begin, part in row_blocks(rows):
        least, greatest = float(part.min()), float(part.max())  # NaN if one is
        if not (math.isfinite(least) and math.isfinite(greatest)):
            finite = np.isfinite(part)
            place = np.unravel_index(int((~finite).argmax()), finite.shape)
            example, *element = map(int, place)
            where = f"example {begin + example}{written(element)}"
            remedy = "put a number there, or leave out the example"
            raise DataError(name, f"{where} is {part[place]}; expected finite numbers; {remedy}")
        largest = max(largest, -least, greatest)
    return largest


def row_blocks(rows: Rows) -> Iterator[tuple[int, Array]]:
    """Yield blocks of rows, each with the position of its first row."""
    together = max(1, _VALUES_TOGETHER // math.prod(rows.shape[1:]))
    for begin in range(0, rows.shape[0], together):
        yield begin, rows[begin : begin + together]


def written(element: list[int]) -> str:
    """Format the position of an element in its row; empty if the row is a single number."""
    match element:
        case []:
            return ""
        case [position]:
            return f", element {position}"
        case _:
            return f", element {element}"
