"""A table from a Parquet file: typed columns in row groups, read with pyarrow.

Rows are counted from 1; the names of the columns are not a row.

Source: Apache Parquet, "File Format", https://parquet.apache.org/docs/file-format/.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.files.regular_file import regular_file
from mlpkit_plugins.tables.columns import ColumnReader, Columns
from mlpkit_plugins.tables.source import TableSource, Texts
from mlpkit_plugins.tables.text_numbers import NotANumberError, Place, numbers_of, without, wrong_number

BUFFER: Final = 1 << 16
"""Bytes read at a time."""

VALUES_TOGETHER: Final = 1 << 17
"""Values decoded at a time, since a whole row group may not fit into memory."""
FEWEST_ROWS_TOGETHER: Final = 256

LARGEST_TEXT: Final = 1 << 17
"""The most bytes of a text, as in a field of a CSV file."""

# Real data stays within these limits, whose second numbers are for each byte of the file.
MOST_VALUES: Final = (1 << 23, 1024)
MOST_BYTES: Final = (1 << 26, 64)
"""The most bytes of a column."""

_WITHOUT_DICTIONARY: Final = ("DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY")
_TEXTS_BY_LENGTH: Final = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)


class Block(NamedTuple):
    """Some consecutive rows, by their numbers, and the values of each requested column."""

    rows: NDArray[np.int64]
    columns: Sequence[pa.Array]


class ParquetFile:
    """A Parquet file: the names and types of its columns, the number of its rows, and the SHA-256 of its content.

    Raises:
        DataError: the file is not a Parquet file, is damaged, declares more rows than its bytes can hold, or two of its
            columns have the same name.
    """

    def __init__(self, path: Path, *, name: str = "") -> None:
        self._path = path
        self.name = name or str(path)
        with regular_file(path, self.name) as file:
            self._size = max(os.fstat(file.fileno()).st_size, 1)
            self._most_bytes = max(MOST_BYTES[0], MOST_BYTES[1] * self._size)
            self.checksum = hashlib.file_digest(file, "sha256").hexdigest()
            with self._reading(file) as parquet:
                self.rows: int = parquet.metadata.num_rows
                schema = parquet.schema_arrow
        self._check_few_values(1)
        self.header: tuple[str, ...] = tuple(schema.names)
        self.types: dict[str, pa.DataType] = dict(zip(schema.names, schema.types, strict=True))
        for column in self.header:
            if self.header.count(column) > 1:
                raise DataError(self.name, "two columns have that name", column=column)

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """Return some columns of the rows, block by block; no others are read."""
        self._check_few_values(len(names))
        texts = [name for name in dict.fromkeys(names) if _has_texts(self.types[name])]
        decoded = dict.fromkeys(texts, 0)
        with regular_file(self._path, self.name) as file:
            with self._reading(file) as parquet:
                encodings = self._check_sizes(parquet, names)
            together = VALUES_TOGETHER // max(len(names), 1)
            if any("DELTA_BYTE_ARRAY" in encodings[name] for name in texts):  # the differences of texts may be short
                together = 0
            with_dictionary = [name for name in texts if not encodings[name] & {*_WITHOUT_DICTIONARY}]
            with self._reading(file, with_dictionary) as parquet:
                row = 1
                for batch in self._batches(parquet, max(together, FEWEST_ROWS_TOGETHER), [*dict.fromkeys(names)]):
                    rows = np.arange(row, row + batch.num_rows)
                    for name in texts:
                        decoded[name] += self._text_size(name, batch.column(name), rows)
                        self._check_size(name, decoded[name])
                    yield Block(rows, [batch.column(name) for name in names])
                    row += batch.num_rows
                    if row > self.rows + 1:
                        raise DataError(self.name, f"has more than the {self.rows:,} rows that it declares")
        pa.default_memory_pool().release_unused()
        if row != self.rows + 1:
            raise DataError(self.name, f"declares {self.rows:,} rows, and has {row - 1:,}")

    def _check_few_values(self, columns: int) -> None:
        """Check that the file declares a plausible number of values for its size."""
        most = max(MOST_VALUES[0], MOST_VALUES[1] * self._size)
        if not 0 <= self.rows * columns <= most:
            declared = f"declares {self.rows:,} rows in {self._size:,} bytes"
            raise DataError(self.name, f"{declared}; expected at most {most:,} values")

    def _check_sizes(self, parquet: Any, names: Sequence[str]) -> dict[str, set[str]]:
        """Check the declared sizes of columns, and return the encodings of each."""
        encodings: dict[str, set[str]] = {name: set() for name in names}
        for position in range(len(parquet.schema)):
            leaf = parquet.schema.column(position)
            if leaf.path in names:
                groups = range(parquet.metadata.num_row_groups)
                chunks = [parquet.metadata.row_group(group).column(position) for group in groups]
                numbers = 0 if _has_texts(self.types[leaf.path]) else 16 * self.rows
                self._check_size(leaf.path, sum(chunk.total_uncompressed_size for chunk in chunks) - numbers)
                if leaf.length > 16:  # bytes of a fixed length
                    self._check_length(leaf.path, leaf.length)
                    self._check_size(leaf.path, leaf.length * self.rows)
                encodings[leaf.path].update(*(chunk.encodings for chunk in chunks))
        return encodings

    def _check_size(self, name: str, length: int) -> None:
        if length > self._most_bytes:
            what = f"the column takes {length:,} bytes or more in a file of {self._size:,}"
            message = f"{what}; expected at most {self._most_bytes:,}; leave the column out"
            raise DataError(self.name, message, column=name)

    def _check_length(self, name: str, length: int, row: int | None = None) -> None:
        if length > LARGEST_TEXT:
            message = f"a text has {length:,} bytes; expected at most {LARGEST_TEXT:,}"
            raise DataError(self.name, f"{message}; shorten it, or leave the column out", row=row, column=name)

    def _text_size(self, name: str, values: pa.Array, rows: NDArray[np.int64]) -> int:
        """Check that no text of a column is too long, and return the bytes of all, 0 for those of a dictionary."""
        encoded = pa.types.is_dictionary(values.type)
        lengths = pc.binary_length(values.dictionary if encoded else values).fill_null(0).to_numpy()
        if lengths.max(initial=0) > LARGEST_TEXT:
            codes = values.indices.cast("int64").fill_null(-1).to_numpy() if encoded else np.arange(len(values))
            sizes = np.append(lengths, 0)  # a missing text has none
            long = np.flatnonzero(sizes[codes] > LARGEST_TEXT)  # the dictionary may hold it for later rows
            self._check_length(name, int(lengths.max()), int(rows[long[0]]) if len(long) else None)
        return 0 if encoded else int(lengths.sum(dtype=np.int64))

    def _batches(self, parquet: Any, rows: int, names: list[str]) -> Iterator[pa.RecordBatch]:
        for group in range(parquet.metadata.num_row_groups):
            for batch in parquet.iter_batches(rows, [group], names, use_threads=False):
                batch.validate(full=True)  # checks dictionary indices and characters
                yield batch

    @contextmanager
    def _reading(self, file: BufferedReader, dictionaries: Sequence[str] = ()) -> Iterator[Any]:
        try:
            with pq.ParquetFile(
                pa.PythonFile(file, "r"),
                read_dictionary=list(dictionaries),
                buffer_size=BUFFER,  # pages are read when they are decoded
                pre_buffer=False,
                page_checksum_verification=True,
                thrift_string_size_limit=self._size,  # each element of the footer takes at least a byte
                thrift_container_size_limit=self._size,
            ) as parquet:
                yield parquet
        except (DataError, MemoryError, GeneratorExit):
            raise
        except Exception as error:  # malformed files make pyarrow raise anything
            reason = " ".join(str(error).split()) or type(error).__name__
            raise DataError(self.name, f"the file is damaged: {reason[:200]}") from error


def _has_texts(arrow_type: pa.DataType) -> bool:
    """Whether values of a type, or of its dictionary, have variable length, like texts."""
    return any(is_variable(_values_type(arrow_type)) for is_variable in _TEXTS_BY_LENGTH)


_IS_TEXT: Final = (*_TEXTS_BY_LENGTH, pa.types.is_fixed_size_binary)
_IS_PLAIN: Final = (*_IS_TEXT, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
_IS_READABLE: Final = (*_IS_PLAIN, pa.types.is_temporal)


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
            self._check_type(name, _IS_PLAIN, "numbers; name it in ignore to leave it out")
        for name in (name for name in columns.names_in_file if name not in plain):
            self._check_type(name, _IS_READABLE, "texts, numbers or dates")
        return self._file.blocks(columns.names_in_file)

    def texts(self, names: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], Sequence[Sequence[str]]]]:
        """Return rows as texts, block by block; values in columns of lists or mappings are empty texts."""
        readable = [name for name in names if any(fits(_values_type(self._file.types[name])) for fits in _IS_READABLE)]
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
            return without(np.append(numbers, np.nan).take(found.positions), self.missing)
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
