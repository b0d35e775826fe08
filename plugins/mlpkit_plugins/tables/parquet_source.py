"""A table from a Parquet file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.formats.parquet_file import Block, ParquetFile
from mlpkit_plugins.tables.columns import ColumnReader, Columns
from mlpkit_plugins.tables.source import TableSource, Texts
from mlpkit_plugins.tables.text_numbers import NotANumberError, numbers_of, without
from mlpkit_plugins.tables.wrong_number import Place, wrong_number

_IS_TEXT: Final = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
)
_IS_NUMBER: Final = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)


class ParquetSource(TableSource):
    """The columns of a Parquet file, as numbers and as codes of texts.

    Null and NaN are missing values. A text in a column of numbers is parsed as a number; a number, a date or a truth
    value in a column of categories is converted to text, as in 1.0 or True.
    """

    def __init__(self, file: ParquetFile, missing: Collection[str]) -> None:
        super().__init__(file.name, file.header, file.rows, missing)
        self._file = file

    @property
    def checksum(self) -> str:
        """The SHA-256 of the file."""
        return self._file.checksum

    def rows(self, names: Sequence[str], numbers: NDArray[np.int64] | None = None) -> dict[str, list[Any]]:
        """Return rows as Python values, column by column."""
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for block in self._file.blocks(names):
            chosen = None if numbers is None else pa.array(np.flatnonzero(np.isin(block.rows, numbers)))
            for name, values in zip(names, block.columns, strict=True):
                columns[name] += (values if chosen is None else values.take(chosen)).to_pylist()
        return columns

    def blocks(self, columns: Columns) -> Iterator[Block]:
        """Yield the rows, block by block, after a check of the columns' types."""
        weight = [columns.weight] if columns.weight is not None else []
        plain = [*(name for name in columns.all_numbers if name not in columns.readers), *weight]
        for name in plain:
            self._check_type(name, _IS_NUMBER + _IS_TEXT, "numbers; name it in ignore to leave it out")
        for name in (name for name in columns.names_in_file if name not in plain):
            self._check_type(name, (*_IS_NUMBER, *_IS_TEXT, pa.types.is_temporal), "texts, numbers or dates")
        return self._file.blocks(columns.names_in_file)

    def texts(self, names: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], Sequence[Sequence[str]]]]:
        """Return rows as texts, block by block; values in columns of lists or mappings are empty texts."""
        allowed = (*_IS_NUMBER, *_IS_TEXT, pa.types.is_temporal)
        readable = [name for name in names if any(fits(_values_type(self._file.types[name])) for fits in allowed)]
        for rows, texts in super().texts(readable):
            columns = dict(zip(readable, texts, strict=True))
            yield rows, [columns.get(name, [""] * len(rows)) for name in names]

    def _check_type(self, name: str, allowed: Sequence[Any], expected: str) -> None:
        actual = _values_type(self._file.types[name])
        if self.most_rows and not any(is_allowed(actual) for is_allowed in allowed):
            raise DataError(self.name, f"the column holds {actual}; expected {expected}", column=name)

    def plain_numbers(self, block: Block, index: int, name: str, columns: Columns) -> NDArray[np.float64]:
        """Return a column of numbers, or of texts that are numbers."""
        values = block.columns[index]
        if _is_text(_values_type(values.type)):
            found = self.texts_of(block, index, name)
            try:
                numbers = numbers_of(found.texts, self.missing)
            except NotANumberError as error:
                place = Place(self.name, int(block.rows[found.first(error.index)]), name, None)
                raise wrong_number(place, columns, found.texts, found.texts[error.index], error) from error
            return np.append(numbers, np.nan).take(found.positions)
        values = _plain(values)
        numbers = np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
        infinite = np.flatnonzero(np.isinf(numbers))
        if len(infinite):
            message = f"{numbers[infinite[0]]} is not a finite number; make it null if it is missing"
            raise DataError(self.name, message, row=int(block.rows[infinite[0]]), column=name)
        return without(numbers, self.missing)

    def texts_of(self, block: Block, index: int, name: str, reader: ColumnReader | None = None) -> Texts:
        """Return the distinct texts of a column."""
        distinct, positions = _distinct(block.columns[index])
        return Texts(self._texts(distinct, name), positions)

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
        plain = _plain(values)
        plain = pc.if_else(pc.is_nan(plain), None, plain) if pa.types.is_floating(plain.type) else plain
        encoded = plain.dictionary_encode()
        distinct = encoded.dictionary
    return distinct, encoded.indices.fill_null(len(distinct)).to_numpy()


def _values_type(arrow_type: pa.DataType) -> pa.DataType:
    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def _is_text(arrow_type: pa.DataType) -> bool:
    return any(is_text(arrow_type) for is_text in _IS_TEXT)
