"""A sample of a table's rows, as texts, from which to guess what its columns hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mlpkit import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit_plugins.tables.source import TableSource

MOST_CELLS: Final = 2_000_000
"""Texts that a sample holds at most, apart from the fewest rows."""

FEWEST_ROWS: Final = 100
"""Rows that a sample holds at least, of a table that has as many."""


@dataclass(frozen=True)
class RowSample:
    """Rows of a table, evenly spaced.

    Args:
        name: what to call the file.
        rows: the number of each row in the file, counted from 1.
        columns: the texts of each column, without blanks around them.
        last: the last row of the table, column by column; None if there are no rows.
        last_row: its number.
        size: how many rows the table has.
    """

    name: str
    rows: Sequence[int]
    columns: dict[str, list[str]]
    last: Sequence[str] | None
    last_row: int
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether all rows are in the sample."""
        return len(self.rows) == self.size


def sample_rows(source: TableSource) -> RowSample:
    """Read a table once, and keep evenly spaced rows of it, in bounded memory.

    Raises:
        DataError: the file is damaged, or its header comes a second time.
    """
    names = source.header
    most = max(MOST_CELLS // len(names), FEWEST_ROWS)
    columns: list[list[str]] = [[] for _ in names]
    rows: list[int] = []
    size, step, last, last_row = 0, 1, None, 0
    for numbers, texts in source.texts(names):
        _expect_no_header(source, numbers.tolist(), texts)
        first = -size % step
        for kept, column in zip(columns, texts, strict=True):
            kept.extend(map(str.strip, column[first::step]))
        rows += numbers[first::step].tolist()
        size += len(numbers)
        if len(numbers):
            last, last_row = [column[-1].strip() for column in texts], int(numbers[-1])
        while len(rows) > most:
            step *= 2
            rows = rows[::2]
            columns = [kept[::2] for kept in columns]
    return RowSample(source.name, rows, dict(zip(names, columns, strict=True)), last, last_row, size)


def _expect_no_header(source: TableSource, rows: Sequence[int], columns: Sequence[Sequence[str]]) -> None:
    """Make sure that no row repeats the header, as in files that were put together from several."""
    if source.header[0] not in columns[0] or len(source.header) < 2:
        return
    for index, row in enumerate(rows):
        if all(column[index].strip() == name for column, name in zip(columns, source.header, strict=True)):
            raise DataError(source.name, "the row repeats the header; remove it", row=row)
