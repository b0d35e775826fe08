"""All columns of a table as in the file, including columns that are left out of training."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError, RawColumn
from mlpkit_plugins.tables.categories import MISSING
from mlpkit_plugins.tables.columns import Columns
from mlpkit_plugins.tables.source import TableSource
from mlpkit_plugins.tables.table import Table
from mlpkit_plugins.tables.text_numbers import NotANumberError, NumberFormat, are_truths, numbers_of


class RawSplit(NamedTuple):
    """Some rows of a file, by their numbers, counted from 1; None for all rows."""

    source: TableSource
    rows: Sequence[int] | None = None


def raw_texts(
    splits: Mapping[str, RawSplit], wanted: Collection[str] | None = None
) -> Iterator[tuple[str, tuple[str, ...], dict[str, NDArray[np.int32]]]]:
    """Yield each column that all files have: its distinct texts, and by split the place of each row's, -1 if missing.

    Columns of other values than texts, numbers and dates, which Parquet files may have, are left out.
    """
    tables = {id(split.source): _whole_table(split.source, wanted) for split in splits.values()}
    first, *others = tables.values()
    names = [name for name in first.columns.categories if all(name in each.columns.categories for each in others)]
    for name in names:
        texts: dict[str, int] = {}
        codes = {}
        for split_name, split in splits.items():
            table = tables[id(split.source)]
            column = table.columns.categories.index(name)
            common = [texts.setdefault(text, len(texts)) for text in table.texts[column]]
            rows = slice(None) if split.rows is None else np.searchsorted(table.rows, split.rows)
            codes[split_name] = np.array([*common, MISSING], np.int32)[table.codes[rows, column]]
        yield name, tuple(texts), codes


def numbers_in(texts: Sequence[str], written: NumberFormat) -> NDArray[np.float64] | None:
    """Parse texts as numbers; None if one isn't a number, or all are truth values."""
    if are_truths(texts):
        return None
    try:
        return numbers_of(texts, (), written)
    except NotANumberError:
        return None


def without_numbers(column: RawColumn, missing: Collection[float]) -> RawColumn:
    """Return a column with some of its numbers counted as missing."""
    if column.numbers is None or not missing:
        return column
    absent = np.append(np.isin(column.numbers, list(missing)), True)
    return column._replace(
        codes={split: np.where(absent[codes], MISSING, codes) for split, codes in column.codes.items()}
    )


def _whole_table(source: TableSource, wanted: Collection[str] | None) -> Table:
    names = tuple(name for name in source.header if wanted is None or name in wanted)
    while True:
        try:
            return Table(source, Columns((), names), missing="fill")
        except DataError as error:
            if error.row is not None or error.column not in names:
                raise
            names = tuple(name for name in names if name != error.column)
