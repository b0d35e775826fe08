"""A table in memory, with only the used columns, and all columns as in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError, RawColumn
from mlpkit_plugins.tables.categories import MISSING, Codebook
from mlpkit_plugins.tables.columns import Chunk, Columns
from mlpkit_plugins.tables.source import TableSource
from mlpkit_plugins.tables.text_numbers import NotANumberError, NumberFormat, are_truths, numbers_of

_FEWEST_ROWS: Final = 1024


class Table:
    """A table read from a file.

    Args:
        source: the file.
        columns: the columns to read; without a target, the rows are for prediction, and whole columns may be missing.
        missing: how to treat missing inputs: raise an ``error``, leave the row out (``drop``), or let the encoder
            ``fill`` them. Rows without a target are left out.

    Attributes:
        header: the names of all columns of the file.
        rows: the number of each row in the file, counted from 1.
        numbers: the columns of numbers, shape (rows, columns); NaN for missing values.
        codes: the columns of texts, shape (rows, columns), as positions in ``texts``; -1 for missing values.
        texts: the distinct texts of each column of texts.
        keys: a number for each row by its key column; None if there is no such column.
        weights: the weight of each row, more than 0; None if there is no column of weights.
        without_target: the number of rows left out because their target is missing.
        unlisted: the number of rows with an unlisted ordered category, by column; it is replaced by NaN.

    Raises:
        DataError: the file is damaged or has no rows, or a value doesn't fit its column.
    """

    def __init__(self, source: TableSource, columns: Columns, *, missing: str) -> None:
        self.name = source.name
        self.header = source.header
        self.columns = columns
        self._missing = missing
        self._length = 0
        self._rows_read = 0
        self.without_target = 0
        self._without_weight = 0
        self.unlisted: Counter[str] = Counter()
        self._missing_in = dict.fromkeys((*columns.numbers, *columns.categories), 0)
        books = [Codebook(source.missing) for _ in columns.all_categories]
        self.texts = [book.texts for book in books]
        try:
            self.rows = np.empty(source.most_rows, np.int64)
            self.numbers = np.empty((source.most_rows, len(columns.all_numbers)))
            self.codes = np.empty((source.most_rows, len(books)), np.int32)
            self.keys = None if columns.key is None else np.empty(source.most_rows, np.uint64)
            self.weights = None if columns.weight is None else np.empty(source.most_rows)
            for chunk in map(self._without_missing_numbers, source.chunks(columns, books)):
                self._append(self._without_unlisted(self._without_missing(self._with_weight(self._with_target(chunk)))))
            self._resize(self._length)
        except MemoryError as error:
            message = f"{len(books) + len(columns.all_numbers)} columns of the table don't fit into memory"
            raise DataError(source.name, message) from error
        for name, count in self._missing_in.items() if columns.has_target else ():
            if count and count == self._rows_read:
                raise DataError(self.name, "every value is missing; name the column in ignore", column=name)
        if not self._length:
            message = "no rows are given; expected one for each example"
            if self._rows_read:
                message = "every row has a missing value"
            elif self._without_weight:
                raise DataError(source.name, "the weight of every row is 0", column=columns.weight)
            elif self.without_target:
                message = "the target is missing in every row"
            raise DataError(source.name, message, row=(source.header_row or 0) + 1)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._length

    def row(self, position: int) -> int:
        """Return the number of a row in the file, counted from 1."""
        return int(self.rows[position])

    def error(self, position: int, column: str, message: str) -> DataError:
        """Return the error for a wrong value."""
        return DataError(self.name, message, row=self.row(position), column=column)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Keep only some of the rows."""
        self.rows, self.numbers, self.codes, self.keys, self.weights = self._as_chunk().rows_where(rows)
        self._length = len(self.rows)

    def number(self, name: str) -> NDArray[np.float64]:
        """Return a column of numbers."""
        return self.numbers[:, self.columns.all_numbers.index(name)]

    def _as_chunk(self) -> Chunk:
        return Chunk(self.rows, self.numbers, self.codes, self.keys, self.weights)

    def _append(self, chunk: Chunk) -> None:
        begin, end = self._length, self._length + len(chunk.rows)
        if end > len(self.rows):  # mixed line endings make more rows than expected
            self._resize(max(2 * end, _FEWEST_ROWS))
        array: Any
        for array, new in zip(self._as_chunk(), chunk, strict=True):
            if array is not None:
                array[begin:end] = new
        self._length = end

    def _resize(self, rows: int) -> None:
        """Shrink or grow the arrays, without a second copy if the system can do so."""
        for array in self._as_chunk():
            if array is not None:
                array.resize((rows, *array.shape[1:]), refcheck=False)

    def _without_missing_numbers(self, chunk: Chunk) -> Chunk:
        """Replace numbers that mean a missing value by NaN."""
        missing = self.columns.missing_numbers
        if not missing:
            return chunk
        numbers = chunk.numbers.copy()
        for name, column in zip(self.columns.all_numbers, numbers.T, strict=True):
            column[np.isin(column, missing.get(name, ()))] = np.nan
        return chunk._replace(numbers=numbers)

    def _with_target(self, chunk: Chunk) -> Chunk:
        """Return the rows that have a target, and count the rest."""
        columns = self.columns
        numbers = np.isnan(chunk.numbers[:, len(columns.numbers) :]).any(axis=1)
        absent = numbers | (chunk.codes[:, len(columns.categories) :] == MISSING).any(axis=1)
        self.without_target += int(absent.sum())
        return chunk.rows_where(~absent) if absent.any() else chunk

    def _with_weight(self, chunk: Chunk) -> Chunk:
        """Return the rows whose weight isn't 0."""
        weights = chunk.weights
        if weights is None:
            return chunk
        wrong = ~(weights >= 0)
        if wrong.any():
            index = int(wrong.argmax())
            what = "the weight is missing" if np.isnan(weights[index]) else f"the weight is {weights[index]:g}"
            message = f"{what}; expected 0 or more; write such a number, or leave out the row"
            raise DataError(self.name, message, row=int(chunk.rows[index]), column=self.columns.weight)
        self._without_weight += int((weights == 0).sum())
        return chunk if weights.all() else chunk.rows_where(weights > 0)

    def _without_missing(self, chunk: Chunk) -> Chunk:
        self._rows_read += len(chunk.rows)
        numbers, codes = np.isnan(chunk.numbers), chunk.codes == MISSING
        if not numbers.any() and not codes.any():
            return chunk
        for absent, names in ((numbers, self.columns.numbers), (codes, self.columns.categories)):
            for name, count in zip(names, absent.sum(axis=0).tolist(), strict=False):
                self._missing_in[name] += count
        if self._missing == "drop":
            return chunk.rows_where(~(numbers.any(axis=1) | codes.any(axis=1)))
        if self._missing == "error":
            for absent, names in ((numbers, self.columns.numbers), (codes, self.columns.categories)):
                if absent.any():
                    column = int(absent.any(axis=0).argmax())
                    row = int(chunk.rows[absent[:, column].argmax()])
                    raise DataError(self.name, self._missing_message(), row=row, column=names[column])
        return chunk

    def _without_unlisted(self, chunk: Chunk) -> Chunk:
        """Count the unlisted ordered categories, which are infinite; in training, replace them by NaN."""
        for index, name in enumerate(self.columns.numbers):
            if name in self.columns.readers:
                numbers = chunk.numbers[:, index]
                unlisted = np.isinf(numbers)
                self.unlisted[name] += int(unlisted.sum())
                if not self.columns.trained:
                    numbers[unlisted] = np.nan
        return chunk

    def _missing_message(self) -> str:
        if self.columns.trained:
            return "the value is missing; write one, or leave out the row"
        remedy = "set missing: fill to put the mean in its place, or missing: drop to leave out such rows"
        if self.columns.in_python:
            remedy = "fill it in, such as by frame.fillna, or pass missing='fill' or missing='drop' to mlpkit.fit"
        return f"the value is missing; {remedy}"


_VALUES: Final = 1 << 16
"""Values per block; in float64, half a megabyte."""

_FEWEST_TOGETHER: Final = 256


def parts(rows: int, columns: int) -> Iterator[slice]:
    """Return consecutive slices that cover all rows."""
    together = max(_VALUES // max(columns, 1), _FEWEST_TOGETHER)
    return (slice(begin, begin + together) for begin in range(0, rows, together))


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
