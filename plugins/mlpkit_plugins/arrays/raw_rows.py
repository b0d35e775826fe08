"""Finite rows of raw inputs, rows that should be standardized, and the arrays that examples come from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataError, RawArray
from mlpkit_plugins.formats.rows_on_disk import Rows

_VALUES_TOGETHER: Final = 1 << 18
"""Numbers checked at a time; in float64, two megabytes."""


def check_finite(rows: Rows, name: str) -> float:
    """Check that all numbers are finite, and return an upper bound on their absolute values.

    They are read once, block by block; integers aren't read.
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


def holds(dtype: np.dtype[Any], numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which numbers are finite in a dtype; all of them for a dtype of integers."""
    if dtype.kind != "f":
        return np.ones(numbers.shape, np.bool_)
    with np.errstate(over="ignore"):
        finite: NDArray[np.bool_] = np.isfinite(numbers.astype(dtype))
        return finite


def too_large(dtype: np.dtype[Any], number: float, scaled: float, remedy: str) -> str:
    """Return the message for a number that a dtype can't hold, once scaled, with what to do about the number."""
    what = f"{number:g}" if scaled == number else f"{number:g}, scaled to {scaled:g},"
    most = np.finfo(dtype).max
    return f"{what} is too large for {dtype}, whose largest number is {most:.3g}; set dtype: float64, or {remedy}"


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


ROWS_LOOKED_AT: Final = 1000

NEVER_OUTSIDE: Final = 3**0.5
"""A range of standardized numbers, widened by half its width, always reaches this far (Bhatia and Davis, 2000)."""


class RawNumber(NamedTuple):
    """A number that wasn't standardized, and its position."""

    row: int
    element: int
    value: float


def raw_by_range(inputs: Array, means: Array, stds: Array, extents: Array | None = None) -> RawNumber | None:
    """Return a number that most likely wasn't standardized; None without a sign of that.

    At least half of the rows must look raw: all of their numbers are in the ranges of raw examples, ``extents``, shape
    (elements, 2), by default four standard deviations around the mean; and one number is outside the range of
    standardized examples by more than half its width.
    """
    rows = np.asarray(inputs[:ROWS_LOOKED_AT], np.float64)
    rows = rows.reshape(len(rows), -1)
    if np.abs(rows).max() <= NEVER_OUTSIDE:
        return None
    means, stds = means.ravel(), stds.ravel()
    least, greatest = (means - 4 * stds, means + 4 * stds) if extents is None else extents.T
    margin = (greatest - least) / 2
    far = (rows * stds > greatest - means + margin) | (rows * stds < least - means - margin)
    ordinary = (rows >= least) & (rows <= greatest)
    raw = np.flatnonzero(far.any(axis=1) & ordinary.all(axis=1))
    if 2 * len(raw) < len(rows):
        return None
    element = int(far[raw[0]].argmax())
    return RawNumber(int(raw[0]), element, float(rows[raw[0], element]))


def raw_array(name: str, role: str, arrays: Iterable[Rows]) -> RawArray:
    """Describe an array of inputs or targets, which may be in several files."""
    arrays = list(arrays)
    dtypes = dict.fromkeys(str(array.dtype) for array in arrays)
    ends = [(part.min(), part.max()) for array in arrays for _, part in row_blocks(array)]
    least, greatest = min(low for low, _ in ends), max(high for _, high in ends)
    return RawArray(name, role, ", ".join(dtypes), arrays[0].shape[1:], float(least), float(greatest))
