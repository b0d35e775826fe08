"""Arrays that stay in their files: rows are read on demand.

Files are read, not memory-mapped: if another process truncates a mapped file, the system kills the reader with SIGBUS.
"""

from __future__ import annotations

import os
import weakref
from math import prod
from pathlib import Path
from typing import IO, Any, Final, Protocol

import numpy as np

from mlpkit import Array, DataError, NpyHeader, read_npy_header
from mlpkit_plugins.files.regular_file import read_at, regular_file
from mlpkit_plugins.kernels import read_rows

ZIP: Final = b"PK\x03\x04"
"""First bytes of an .npz file."""

LARGEST_COPY: Final = 1 << 28
"""The most bytes of an array that is read as a whole, which saves a system call per row."""


class Rows(Protocol):
    """An array, or an object with the same rows."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its elements."""

    def __getitem__(self, indices: Array | slice, /) -> Array:
        """Return rows."""


class RowsOnDisk:
    """The array of an .npy file, or of an uncompressed member of an .npz file.

    A small array is copied into memory at its first use, and the file may change afterwards. The rows of a large array
    are read one by one. An array in Fortran order is always copied. The file may be closed after the constructor.
    """

    def __init__(self, file: IO[bytes], header: NpyHeader, name: str) -> None:
        self.shape = header.shape
        self.dtype = header.dtype
        self._header = header
        self._by_columns = header.fortran_order and len(header.shape) > 1
        self._row_bytes = header.dtype.itemsize * prod(header.shape[1:])
        self._name = name
        self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)
        self._stamp = self._current_stamp()
        self._may_be_copied = self._by_columns or header.size <= LARGEST_COPY
        self._copy: Array | None = None

    def __getitem__(self, indices: Array | slice) -> Array:
        """Return rows.

        Raises:
            IndexError: a row doesn't exist.
            DataError: the file was changed since it was opened, can't be read, or is in Fortran order and doesn't fit
                into memory.
        """
        if self._copy is None and self._may_be_copied:
            self._copy = self._copied()
        if self._copy is not None:
            return self._copy[indices]
        if isinstance(indices, slice):
            begin, end, _ = indices.indices(self.shape[0])
            return self._read(begin, max(0, end - begin))
        return self._gather(indices)

    def _copied(self) -> Array | None:
        """Return the whole array; None if memory is short and rows can be read one by one."""
        try:
            rows = self._read(0, self.shape[0])
        except MemoryError as error:
            if self._by_columns:
                message = "is in Fortran order, and larger than memory; save np.ascontiguousarray(x)"
                raise DataError(self._name, message) from error
            self._may_be_copied = False
            return None
        return rows.reshape(-1).reshape(self.shape, order="F") if self._by_columns else rows

    def _read(self, begin: int, count: int) -> Array:
        """Return consecutive rows."""
        rows = np.empty((count, *self.shape[1:]), self.dtype)
        view = rows.reshape(-1).data.cast("B")
        place = self._header.start + begin * self._row_bytes
        try:
            while view and (received := read_at(self._descriptor, place, view)):
                view, place = view[received:], place + received
        except OSError as error:
            raise self._unreadable(error) from error
        self._check_unchanged(whole=not view)
        return rows

    def _gather(self, indices: Array) -> Array:
        """Return rows in any order."""
        rows = np.empty((len(indices), *self.shape[1:]), self.dtype)
        if not len(indices):
            return rows
        if indices.min() < 0 or indices.max() >= self.shape[0]:
            msg = f"rows are numbered from 0 to {self.shape[0] - 1}"
            raise IndexError(msg)
        try:
            whole = read_rows(self._descriptor, self._header.start, indices, rows)
        except OSError as error:
            raise self._unreadable(error) from error
        self._check_unchanged(whole=whole)
        return rows

    def _check_unchanged(self, *, whole: bool) -> None:
        """Check that the file hasn't changed since it was opened."""
        if not whole or self._current_stamp() != self._stamp:
            message = "the file was overwritten or truncated while it was in use; train on a copy that doesn't change"
            raise DataError(self._name, message)

    def _current_stamp(self) -> tuple[int, int]:
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns

    def _unreadable(self, error: OSError) -> DataError:
        return DataError(self._name, f"can't be read: {error.strerror or error}")


def npy_rows(path: Path, name: str) -> RowsOnDisk:
    """Return the array of an .npy file."""
    with regular_file(path, name) as file:
        size = path.stat().st_size
        if size and file.peek(len(ZIP)).startswith(ZIP):
            raise DataError(name, "is an .npz file, or another archive; read it with the data set npz")
        return RowsOnDisk(file, read_npy_header(file, name, size), name)
