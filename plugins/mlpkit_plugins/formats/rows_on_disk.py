"""An array that stays in its file: rows are read when they are asked for."""

from __future__ import annotations

import mmap
import os
import weakref
from math import prod
from typing import IO, TYPE_CHECKING, Any, Protocol

import numpy as np

from mlpkit import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit_plugins.formats.npy_header import NpyHeader


class Rows(Protocol):
    """Something with rows: an array, or what stands for one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its elements."""

    def __getitem__(self, indices: NDArray[Any] | slice, /) -> NDArray[Any]:
        """Return rows."""


def rows_on_disk(file: IO[bytes], header: NpyHeader, name: str) -> Rows:
    """Return the array of an .npy file, its content left where it is.

    The file is mapped into memory. Where the process may not have so many addresses (``ulimit -v``), its rows are read
    one by one instead, which takes longer.

    Args:
        file: the file; it may be closed afterwards.
        header: where the array is, and of what kind.
        name: what to call the file in messages.

    Raises:
        DataError: the file can't be mapped, and its rows don't lie side by side so that they could be read.
    """
    try:
        mapped = mmap.mmap(file.fileno(), header.start + header.size, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        if header.fortran_order and len(header.shape) > 1:
            message = "is stored column by column, and too large to be mapped; expected rows: np.ascontiguousarray(x)"
            raise DataError(name, message) from error
        return _RowsRead(file, header, name)
    flat = np.frombuffer(mapped, header.dtype, prod(header.shape), header.start)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")


class _RowsRead:
    """An array whose rows are read one by one."""

    def __init__(self, file: IO[bytes], header: NpyHeader, name: str) -> None:
        self.shape = header.shape
        self.dtype = header.dtype
        self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)
        self._start = header.start
        self._row_bytes = header.dtype.itemsize * prod(header.shape[1:])
        self._name = name

    def __getitem__(self, indices: NDArray[Any] | slice) -> NDArray[Any]:
        """Return rows."""
        if isinstance(indices, slice):
            begin, end, _ = indices.indices(self.shape[0])
            rows = np.empty((max(0, end - begin), *self.shape[1:]), self.dtype)
            self._read(rows, begin)
            return rows
        rows = np.empty((len(indices), *self.shape[1:]), self.dtype)
        for row, index in zip(rows.reshape(len(indices), -1), indices.tolist(), strict=True):
            if not 0 <= index < self.shape[0]:
                raise IndexError(f"there is no row {index}")
            self._read(row, index)
        return rows

    def _read(self, rows: NDArray[Any], index: int) -> None:
        view = rows.reshape(-1).data.cast("B")
        place = self._start + index * self._row_bytes
        while view:
            received = os.preadv(self._descriptor, [view], place)
            if not received:
                raise DataError(self._name, "the file has become shorter", byte=place)
            view, place = view[received:], place + received
