"""Parquet files: typed columns in row groups, read with pyarrow.

Rows are counted from 1; the names of the columns are not a row.

Source: Apache Parquet, "File Format", https://parquet.apache.org/docs/file-format/.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.files.regular_file import regular_file
from mlpkit_plugins.formats.parquet_bounds import Bounds, is_text

MAGIC: Final = b"PAR1"
FEWEST_BYTES: Final = 12
"""The magic bytes at both ends, and the length of the footer."""

BUFFER: Final = 1 << 16
"""Bytes read at a time."""


class Block(NamedTuple):
    """Some consecutive rows, by their numbers, and the values of each requested column."""

    rows: NDArray[np.int64]
    columns: Sequence[pa.Array]


class ParquetFile:
    """A Parquet file.

    Args:
        path: the file.
        name: its name in messages; by default its path.

    Attributes:
        header: the names of the columns.
        types: the type of each column.
        rows: the number of rows.
        most_text: the most bytes of a column's texts.
        checksum: SHA-256 of the file's content.

    Raises:
        DataError: the file is not a Parquet file, is damaged, declares more rows than its bytes can hold, or two of its
            columns have the same name.
    """

    def __init__(self, path: Path, *, name: str = "") -> None:
        self._path = path
        self.name = name or str(path)
        with regular_file(path, self.name) as file:
            self._size = self._check_magic(file)
            self._bounds = Bounds(self.name, self._size)
            self.most_text = self._bounds.most_text
            file.seek(0)
            self.checksum = hashlib.file_digest(file, "sha256").hexdigest()
            with self._reading(file) as parquet:
                self.rows: int = parquet.metadata.num_rows
                schema = parquet.schema_arrow
        self._bounds.check_few_values(self.rows, 1)
        self.header: tuple[str, ...] = tuple(schema.names)
        self.types: dict[str, pa.DataType] = dict(zip(schema.names, schema.types, strict=True))
        for column in self.header:
            if self.header.count(column) > 1:
                raise DataError(self.name, "two columns have that name", column=column)

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """Return some columns of the rows, block by block; no others are read."""
        types = {name: self.types[name] for name in names}
        self._bounds.check_few_values(self.rows, len(names))
        with regular_file(self._path, self.name) as file:
            with self._reading(file) as parquet:
                plan = self._bounds.plan(file, parquet, types)
            with self._reading(file, plan.dictionaries) as parquet:
                row = 1
                for batch in self._batches(parquet, plan.rows, list(types)):
                    rows = np.arange(row, row + batch.num_rows)
                    for name in filter(lambda name: is_text(types[name]), types):
                        self._bounds.check_short_texts(name, batch.column(name), rows)
                    yield Block(rows, [batch.column(name) for name in names])
                    row += batch.num_rows
                    if row > self.rows + 1:
                        raise DataError(self.name, f"has more than the {self.rows:,} rows that it declares")
        pa.default_memory_pool().release_unused()
        if row != self.rows + 1:
            raise DataError(self.name, f"declares {self.rows:,} rows, and has {row - 1:,}")

    def _check_magic(self, file: BufferedReader) -> int:
        """Check both ends of the file, and return its size."""
        size = os.fstat(file.fileno()).st_size
        if not size:  # a file in /proc might never end
            raise DataError(self.name, "the file is empty; expected a Parquet file")
        begin = file.read(len(MAGIC))
        if begin != MAGIC:
            raise DataError(self.name, f"starts with {begin!r}; expected {MAGIC!r}, as Parquet files do", byte=0)
        file.seek(-min(len(MAGIC), size), 2)
        if size < FEWEST_BYTES or file.read() != MAGIC:
            raise DataError(self.name, "ends too early; the file is incomplete", byte=size)
        return size

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
