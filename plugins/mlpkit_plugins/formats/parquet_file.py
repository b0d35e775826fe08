"""Parquet files, as pyarrow reads them: columns of values with types, in groups of rows.

Rows are counted from 1; the names of the columns stand in none of them.

Source: Apache Parquet, "File Format", https://parquet.apache.org/docs/file-format/.
"""

from __future__ import annotations

import hashlib
import mmap
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlpkit import DataError
from mlpkit_plugins.files.regular_file import regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import BufferedReader
    from pathlib import Path

    from numpy.typing import NDArray

VALUES_TOGETHER: Final = 1 << 17
"""Values that are decoded together, so that a group of rows is never in memory as a whole."""
FEWEST_ROWS_TOGETHER: Final = 256

MAGIC: Final = b"PAR1"
FEWEST_BYTES: Final = 12
"""The magic bytes at both ends, and the length of the footer."""

MOST_VALUES_A_BYTE: Final = 1024
ALWAYS_ALLOWED: Final = 1 << 23
"""Values that a small file may have, however few bytes they are packed into."""


class Block(NamedTuple):
    """Some rows that follow each other, column by column.

    Args:
        rows: the number of each row.
        columns: the values of each column that was asked for.
    """

    rows: NDArray[np.int64]
    columns: Sequence[pa.Array]


class ParquetFile:
    """A Parquet file.

    Args:
        path: the file.
        name: what to call it in messages; by default its path.

    Attributes:
        header: the names of the columns.
        types: the type of each column.
        rows: how many rows there are.
        checksum: SHA-256 of the file's content.

    Raises:
        DataError: the file is no Parquet file, is damaged, declares more rows than its bytes can hold, or two of its
            columns have the same name.
    """

    def __init__(self, path: Path, *, name: str = "") -> None:
        self._path = path
        self.name = name or str(path)
        with regular_file(path, self.name) as file:
            self._size = self._expect_parquet(file)
            file.seek(0)
            self.checksum = hashlib.file_digest(file, "sha256").hexdigest()
            with self._reading(_Content(file)) as parquet:
                self.rows: int = parquet.metadata.num_rows
                schema = parquet.schema_arrow
        self._expect_plausible(self.rows)
        self.header: tuple[str, ...] = tuple(schema.names)
        self.types: dict[str, pa.DataType] = dict(zip(schema.names, schema.types, strict=True))
        for column in self.header:
            if self.header.count(column) > 1:
                raise DataError(self.name, "two columns have that name", column=column)

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """Return the rows, block by block, group after group.

        Args:
            names: the columns to return; nothing is read of the others.

        Raises:
            DataError: the file is damaged, or packs more values into its bytes than data does.
        """
        self._expect_plausible(self.rows * len(names))
        row, wanted = 1, list(dict.fromkeys(names))
        together = max(VALUES_TOGETHER // len(wanted), FEWEST_ROWS_TOGETHER)
        with regular_file(self._path, self.name) as file:
            content = _Content(file)
            with self._reading(content) as parquet:
                for group in range(parquet.metadata.num_row_groups):
                    for batch in parquet.iter_batches(together, [group], wanted, use_threads=False):
                        batch.validate(full=True)  # indices of dictionaries, and characters, are not looked at before
                        yield Block(np.arange(row, row + batch.num_rows), [batch.column(name) for name in names])
                        row += batch.num_rows
                        content.leave()
                        if row > self.rows + 1:
                            raise DataError(self.name, f"has more than the {self.rows:,} rows that it declares")
        pa.default_memory_pool().release_unused()
        if row != self.rows + 1:
            raise DataError(self.name, f"declares {self.rows:,} rows, and has {row - 1:,}")

    def _expect_parquet(self, file: BufferedReader) -> int:
        """Return the size of the file, after a look at both ends."""
        begin = file.read(len(MAGIC))
        if not begin:
            raise DataError(self.name, "the file is empty; expected a Parquet file")
        if begin != MAGIC:
            raise DataError(self.name, f"begins with {begin!r}; expected {MAGIC!r}, as Parquet files do", byte=0)
        size = file.seek(0, 2)
        file.seek(-min(len(MAGIC), size), 2)
        if size < FEWEST_BYTES or file.read() != MAGIC:
            raise DataError(self.name, "ends too early; the file is incomplete", byte=size)
        return size

    def _expect_plausible(self, values: int) -> None:
        """Make sure that the file declares no more values than data packs into its bytes, before memory is taken."""
        most = max(MOST_VALUES_A_BYTE * self._size, ALWAYS_ALLOWED)
        if not 0 <= values <= most:
            message = f"declares {self.rows:,} rows in {self._size:,} bytes; expected at most {most:,} values"
            raise DataError(self.name, message)

    @contextmanager
    def _reading(self, content: _Content) -> Iterator[Any]:
        try:
            with pq.ParquetFile(
                content.readable,
                pre_buffer=False,
                page_checksum_verification=True,
                thrift_string_size_limit=self._size,  # a list or a text in the footer takes a byte an element, at least
                thrift_container_size_limit=self._size,
            ) as parquet:
                yield parquet
        except (DataError, MemoryError, GeneratorExit):
            raise
        except Exception as error:  # pyarrow raises whatever a malformed file leads its parts into
            reason = " ".join(str(error).split()) or type(error).__name__
            raise DataError(self.name, f"the file is damaged: {reason[:200]}") from error


class _Content:
    """The content of a file, mapped into memory: pages are read as they are decoded, whatever size they declare.

    Where the process may not have so many addresses (``ulimit -v``), a column of a group is read as a whole instead.

    Args:
        file: the file.

    Attributes:
        readable: what pyarrow reads.
    """

    def __init__(self, file: BufferedReader) -> None:
        self.readable: BufferedReader | pa.BufferReader = file
        self._mapped: mmap.mmap | None = None
        with suppress(OSError):
            self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self.readable = pa.BufferReader(pa.py_buffer(self._mapped))

    def leave(self) -> None:
        """Give back the memory of what was read; the system reads it again if it is wanted again."""
        if self._mapped is not None:
            self._mapped.madvise(mmap.MADV_DONTNEED)
