"""A sample of a table's rows, as texts, from which to guess what its columns hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mlpkit import DataError
from mlpkit_plugins.splits.by_key import scattered
from mlpkit_plugins.tables.source import TableSource

MOST_CELLS: Final = 2_000_000
"""The most texts in a sample of more than ``FEWEST_ROWS`` rows."""

FEWEST_ROWS: Final = 100
"""The fewest rows in a sample of a larger table."""


@dataclass(frozen=True)
class RowSample:
    """Rows of a table, in their order, by their numbers in the file, and as texts of each column without blanks.

    ``last`` has the texts of the table's last row, by column, None without rows; ``size`` is the number of its rows.
    """

    name: str
    rows: Sequence[int]
    columns: dict[str, list[str]]
    last: Mapping[str, str] | None
    last_row: int
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether all rows are in the sample."""
        return len(self.rows) == self.size


def sample_rows(source: TableSource) -> RowSample:
    """Read a table once, and keep a random sample of its rows, in bounded memory.

    The same table always gives the same sample.
    """
    names = source.header
    most = max(MOST_CELLS // len(names), FEWEST_ROWS)
    columns: list[list[str]] = [[] for _ in names]
    rows: list[int] = []
    draws: list[int] = []
    size, last, last_row = 0, None, 0
    one_in = 1  # rows are kept if this number divides their random number
    for numbers, texts in source.texts(names):
        _check_no_header(source, numbers.tolist(), texts)
        drawn = scattered(np.arange(size, size + len(numbers), dtype=np.uint64))
        kept = np.flatnonzero(drawn % np.uint64(one_in) == 0).tolist()
        for column, new in zip(columns, texts, strict=True):
            column.extend(new[position].strip() for position in kept)
        rows += numbers[kept].tolist()
        draws += drawn[kept].tolist()
        size += len(numbers)
        if len(numbers):
            last, last_row = [column[-1].strip() for column in texts], int(numbers[-1])
        while len(rows) > most:
            one_in *= 2
            kept = [position for position, draw in enumerate(draws) if draw % one_in == 0]
            rows, draws = [rows[position] for position in kept], [draws[position] for position in kept]
            columns = [[column[position] for position in kept] for column in columns]
    by_name = None if last is None else dict(zip(names, last, strict=True))
    return RowSample(source.name, rows, dict(zip(names, columns, strict=True)), by_name, last_row, size)


def _check_no_header(source: TableSource, rows: Sequence[int], columns: Sequence[Sequence[str]]) -> None:
    """Check that no row repeats the header, as in concatenated files."""
    if source.header[0] not in columns[0] or len(source.header) < 2:
        return
    for index, row in enumerate(rows):
        if all(column[index].strip() == name for column, name in zip(columns, source.header, strict=True)):
            raise DataError(source.name, "the row repeats the header; remove it", row=row)
