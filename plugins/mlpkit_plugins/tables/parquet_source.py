"""A table from a Parquet file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.formats.parquet_file import ParquetFile
from mlpkit_plugins.formats.shown_text import shown_text
from mlpkit_plugins.tables.categories import MISSING, Codebook, NoCharactersError
from mlpkit_plugins.tables.readers import NotATimeError, WrongTextError
from mlpkit_plugins.tables.row_keys import keys_of, no_time
from mlpkit_plugins.tables.source import Chunk, Columns
from mlpkit_plugins.tables.text_numbers import NotANumberError, numbers_of, without
from mlpkit_plugins.tables.wrong_number import Place, wrong_number, wrong_text

_IS_TEXT: Final = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
)
_IS_NUMBER: Final = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)


class ParquetSource:
    """The columns of a Parquet file, as numbers and as codes of texts.

    Null and NaN are missing values. A text in a column of numbers is parsed as a number; a number, a date or a truth
    value in a column of categories is converted to text, as in 1.0 or True.

    Args:
        file: the Parquet file.
        missing: texts that also mean a missing value.
    """

    def __init__(self, file: ParquetFile, missing: Collection[str]) -> None:
        self.kind = "file"
        self._file = file
        self._missing = frozenset(missing)
        self.name = file.name
        self.header = file.header
        self.header_row: int | None = None
        self.most_rows = file.rows
        self.checksum = file.checksum

    def values(self) -> dict[str, list[Any]]:
        """Return all columns as Python values."""
        columns: dict[str, list[Any]] = {name: [] for name in self.header}
        for block in self._file.blocks(self.header):
            for name, values in zip(self.header, block.columns, strict=True):
                columns[name] += values.to_pylist()
        return columns

    def rows(self, names: Sequence[str], numbers: NDArray[np.int64]) -> dict[str, list[Any]]:
        """Return some rows as Python values, column by column."""
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for block in self._file.blocks(names):
            chosen = pa.array(np.flatnonzero(np.isin(block.rows, numbers)))
            for name, values in zip(names, block.columns, strict=True):
                columns[name] += values.take(chosen).to_pylist()
        return columns

    def chunks(self, columns: Columns, codebooks: Sequence[Codebook]) -> Iterator[Chunk]:
        """Return the rows, chunk by chunk."""
        names = columns.names_in_file
        count = len(columns.all_numbers)
        weight = [columns.weight] if columns.weight is not None else []
        plain = [*(name for name in columns.all_numbers if name not in columns.readers), *weight]
        for name in plain:
            self._check_type(name, _IS_NUMBER + _IS_TEXT, "numbers; name it in ignore to leave it out")
        for name in (name for name in names if name not in plain):
            self._check_type(name, (*_IS_NUMBER, *_IS_TEXT, pa.types.is_temporal), "texts, numbers or dates")
        for block in self._file.blocks(names):
            numbers = np.empty((len(block.rows), count))
            codes = np.empty((len(block.rows), len(codebooks)), np.int32)
            for index, name in enumerate(columns.all_numbers):
                numbers[:, index] = self._numbers(block.columns[index], block.rows, name, columns)
            for index, book in enumerate(codebooks):
                codes[:, index] = self._codes(block.columns[count + index], block.rows, names[count + index], book)
            weights = None
            for name in weight:
                weights = self._numbers(block.columns[count + len(codebooks)], block.rows, name, columns)
            yield Chunk(block.rows, numbers, codes, self._keys(block.columns[-1], block.rows, columns), weights)

    def texts(self, names: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], Sequence[Sequence[str]]]]:
        """Return the rows as texts, block by block: their numbers in the file, and the texts of each column.

        Null and all values in columns of lists or mappings become empty texts.
        """
        allowed = (*_IS_NUMBER, *_IS_TEXT, pa.types.is_temporal)
        readable = [name for name in names if any(fits(_values_type(self._file.types[name])) for fits in allowed)]
        for block in self._file.blocks(readable):
            columns: dict[str, Sequence[str]] = dict.fromkeys(names, [""] * len(block.rows))
            for name, values in zip(readable, block.columns, strict=True):
                distinct, positions = _distinct(values)
                texts = [*self._texts(distinct, name), ""]
                columns[name] = [texts[position] for position in positions.tolist()]
            yield block.rows, [columns[name] for name in names]

    def _check_type(self, name: str, allowed: Sequence[Any], expected: str) -> None:
        actual = _values_type(self._file.types[name])
        if self.most_rows and not any(is_allowed(actual) for is_allowed in allowed):
            raise DataError(self.name, f"the column holds {actual}; expected {expected}", column=name)

    def _numbers(self, values: pa.Array, rows: NDArray[np.int64], name: str, columns: Columns) -> NDArray[np.float64]:
        if name in columns.readers:
            distinct, positions = _distinct(values)
            try:
                read = columns.readers[name].numbers(self._texts(distinct, columns.name_in_file(name)), self._missing)
            except WrongTextError as error:
                row = int(rows[(positions == error.index).argmax()])
                raise wrong_text(self.name, row, columns, name, error) from error
            return np.append(read, np.nan)[positions]
        if _is_text(_values_type(values.type)):
            distinct, positions = _distinct(values)
            texts = self._texts(distinct, name)
            try:
                numbers = numbers_of(texts, self._missing)
            except NotANumberError as error:
                place = Place(self.name, int(rows[(positions == error.index).argmax()]), name, None)
                raise wrong_number(place, columns, texts, texts[error.index], error) from error
            return np.append(numbers, np.nan)[positions]
        values = _plain(values)
        numbers = np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
        infinite = np.flatnonzero(np.isinf(numbers))
        if len(infinite):
            message = f"{numbers[infinite[0]]} is not a finite number; make it null if it is missing"
            raise DataError(self.name, message, row=int(rows[infinite[0]]), column=name)
        return without(numbers, self._missing)

    def _codes(self, values: pa.Array, rows: NDArray[np.int64], name: str, book: Codebook) -> NDArray[np.int32]:
        distinct, positions = _distinct(values)
        texts = self._texts(distinct, name)
        try:
            codes = book.codes(texts)
        except NoCharactersError as error:
            message = f"{shown_text(texts[error.index])} has bytes that are not valid characters"
            row = int(rows[(positions == error.index).argmax()])
            raise DataError(self.name, message, row=row, column=name) from error
        if book.length > self._file.most_text:
            message = f"the categories take more than {self._file.most_text:,} bytes; leave the column out"
            raise DataError(self.name, message, column=name)
        return np.append(codes, np.int32(MISSING))[positions]

    def _keys(self, values: pa.Array, rows: NDArray[np.int64], columns: Columns) -> NDArray[np.uint64] | None:
        if columns.key is None:
            return None
        distinct, positions = _distinct(values)
        texts = self._texts(distinct, columns.key)
        if (positions == len(texts)).any():
            texts.append("")
        try:
            return keys_of(texts, times=columns.key_is_time)[positions]
        except NotATimeError as error:
            row = int(rows[(positions == error.index).argmax()])
            raise no_time(self.name, row, columns.key, texts[error.index]) from error

    def _texts(self, values: pa.Array, name: str) -> list[str]:
        """Convert values without nulls to texts; invalid bytes are kept."""
        try:
            if _is_text(values.type):
                large = pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type)
                values = values.cast(pa.large_binary() if large else pa.binary())
                return [text.decode("utf-8", "surrogateescape") for text in values.to_pylist()]
            if pa.types.is_floating(values.type) or pa.types.is_boolean(values.type):
                return [str(value) for value in values.to_numpy(zero_copy_only=False)]
            texts: list[str] = values.cast(pa.string()).to_pylist()
        except pa.ArrowException as error:  # such as an unknown time zone
            raise DataError(
                self.name, f"the column's {values.type} can't be converted to text: {error}", column=name
            ) from error
        return texts


def _plain(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _distinct(values: pa.Array) -> tuple[pa.Array, NDArray[np.int32]]:
    """Return the distinct values in order of occurrence, and the position of each value in them.

    Null and NaN are left out; their position is the number of distinct values.
    """
    if pa.types.is_dictionary(values.type) and _is_text(values.type.value_type):
        encoded = values.indices.dictionary_encode()
        distinct = values.dictionary.take(encoded.dictionary)
    else:
        encoded = _without_nan(_plain(values)).dictionary_encode()
        distinct = encoded.dictionary
    return distinct, encoded.indices.fill_null(len(distinct)).to_numpy()


def _without_nan(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_nan(values), None, values) if pa.types.is_floating(values.type) else values


def _values_type(arrow_type: pa.DataType) -> pa.DataType:
    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def _is_text(arrow_type: pa.DataType) -> bool:
    return any(is_text(arrow_type) for is_text in _IS_TEXT)
