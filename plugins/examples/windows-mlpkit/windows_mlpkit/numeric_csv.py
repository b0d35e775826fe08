"""CSV files of numbers."""

import csv
from pathlib import Path

import numpy as np

from mlpkit import DataError


def read_header(path):
    """Return the names of the columns."""
    return next(_rows(path), [])


def read_numbers(path, names):
    """Return columns of a file, shape (rows, names); raise `DataError` at the place of what is no number."""
    header, *rows = [*_rows(path)] or [[]]
    for name in names:
        if name not in header:
            raise DataError(path, f"has no column {name!r}", row=1)
    places = [header.index(name) for name in names]
    numbers = np.empty((len(rows), len(names)))
    for i, row in enumerate(rows):
        for j, place in enumerate(places):
            try:
                numbers[i, j] = float(row[place])
            except (ValueError, IndexError):
                raise DataError(path, "expected a number", row=i + 2, column=names[j]) from None
    return numbers


def _rows(path):
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            yield from csv.reader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(path, f"can't be read: {error}") from error
