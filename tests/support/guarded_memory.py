"""Arrays with no memory behind them: a process that reads or writes beyond one ends at once."""

from __future__ import annotations

import ctypes
import mmap
import sys

import numpy as np
from numpy.lib.stride_tricks import as_strided

PROT_NONE = 0
ITEM = 4


def guarded(array, gap=0):
    """Return a copy of an array of float32 that ends where its memory ends, except on Windows.

    Args:
        array: the array.
        gap: the number of NaNs between two rows of a matrix.
    """
    columns = array.shape[-1]
    rows = array.size // columns
    count = rows * (columns + gap) - gap
    size = -(-ITEM * count // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, size + mmap.PAGESIZE)
    behind = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(memory)) + size)
    if sys.platform != "win32":
        assert ctypes.CDLL(None).mprotect(behind, ctypes.c_size_t(mmap.PAGESIZE), PROT_NONE) == 0
    numbers = np.frombuffer(memory, np.float32, count, size - ITEM * count)
    numbers[:] = np.nan
    copy = as_strided(numbers, (rows, columns), (ITEM * (columns + gap), ITEM))
    copy[...] = array.reshape(rows, columns)
    return copy.reshape(array.shape)


def between_rows(copy, gap):
    """Return the numbers between the rows of a copy with such a gap."""
    columns = copy.shape[1]
    return as_strided(copy, (len(copy) - 1, columns + gap), copy.strides)[:, columns:]
