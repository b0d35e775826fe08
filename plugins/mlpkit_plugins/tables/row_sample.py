"""A sample of a table's rows, as texts, from which to guess what its columns hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mlpkit import DataError
from mlpkit_plugins.splits.by_key import scattered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit_plugins.tables.source import TableFile

MOST_CELLS: Final = 2_000_000
"""Texts that a sample holds at most, apart from the fewest rows."""

FEWEST_ROWS: Final = 100
"""Rows that a sample holds at least, of a table that has as many."""


@dataclass(frozen=True)
class RowSample:
    """Rows of a table, in their order.

    Args:
        name: what to call the file.
        rows: the number of each row in the file, counted from 1.
        columns: the texts of each column, without blanks around them.
        last: the texts of the last row, by column; None if there are no rows.
        last_row: its number.
        size: how many rows the table has.
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


def sample_rows(source: TableFile) -> RowSample:
    """Read a table once, and keep rows of it that are drawn at random, in bounded memory.

    The same table always gives the same rows.

    Raises:
        DataError: the file is damaged, or its header comes a second time.
    """
    names = source.header
    most = max(MOST_CELLS // len(names), FEWEST_ROWS)
    columns: list[list[str]] = [[] for _ in names]
    rows: list[int] = []
    draws: list[int] = []
    size, last, last_row = 0, None, 0
    one_in = 1  # of so many rows, one is kept: those whose random number it divides
    for numbers, texts in source.texts(names):
        _expect_no_header(source, numbers.tolist(), texts)
        drawn = scattered(np.arange(size, size + len(numbers), dtype=np.uint64))
        kept = np.flatnonzero(drawn % np.uint64(one_in) == 0).tolist()
        for column, found in zip(columns, texts, strict=True):
            column.extend(found[position].strip() for position in kept)
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


def _expect_no_header(source: TableFile, rows: Sequence[int], columns: Sequence[Sequence[str]]) -> None:
    """Make sure that no row repeats the header, as in files that were put together from several."""
    if source.header[0] not in columns[0] or len(source.header) < 2:
        return
    for index, row in enumerate(rows):
        if all(column[index].strip() == name for column, name in zip(columns, source.header, strict=True)):
            raise DataError(source.name, "the row repeats the header; remove it", row=row)
