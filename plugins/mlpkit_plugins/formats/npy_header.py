"""The header of an .npy file: the type, shape and position of its array.

Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
"""

from __future__ import annotations

import warnings
from math import prod
from typing import IO, Any, NamedTuple

import numpy as np

from mlpkit import DataError

ZIP = b"PK\x03\x04"
"""First bytes of an .npz file."""

LARGEST_HEADER = 10_000
MOST_DIMENSIONS = 32
"""The limit of the oldest NumPy supported."""


class NpyHeader(NamedTuple):
    """The header of an .npy file, or of a part of another file in that format.

    Args:
        dtype: type of the array's elements, numbers or truth values.
        shape: shape of the array.
        fortran_order: whether the first index changes fastest.
        start: offset of the array's first byte in the file.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool
    start: int

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return self.dtype.itemsize * prod(self.shape)


def read_npy_header(file: IO[bytes], name: str, size: int) -> NpyHeader:
    """Read a header at the file's position; nothing in it is executed.

    Args:
        file: the file.
        name: what to call it in messages.
        size: bytes from there to the end of the array.

    Raises:
        DataError: there is no header, its array has another size, or doesn't hold numbers.
    """
    begin = file.tell()
    if not size:  # a file in /proc might never end
        raise DataError(name, "the file is empty; expected an .npy file", byte=begin)
    try:
        with warnings.catch_warnings(action="ignore"):
            version = np.lib.format.read_magic(file)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            shape, fortran_order, dtype = read(file, max_header_size=LARGEST_HEADER)
    except KeyError as error:
        raise DataError(name, f"has the .npy format {error}; expected (1, 0) or (2, 0)", byte=begin) from error
    except OSError:
        raise
    except Exception as error:  # malformed headers make NumPy raise anything
        file.seek(begin)
        if file.read(len(ZIP)) == ZIP:
            raise DataError(name, "is an .npz file, or another archive; read it with the data set npz") from error
        reason = " ".join(str(error).split())[:200]
        raise DataError(name, f"is not an .npy file: {reason}", byte=begin) from error
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        message = f"holds {dtype}; expected numbers of up to 64 bits"
        if dtype.kind in "USO":
            message += "; if they name classes, np.unique(t, return_inverse=True)[1] gives their numbers"
        raise DataError(name, message, byte=begin)
    if len(shape) > MOST_DIMENSIONS:
        raise DataError(name, f"has {len(shape)} dimensions; expected up to {MOST_DIMENSIONS}", byte=begin)
    if 0 in shape:
        message = f"has the shape {shape}; expected a row for each example, and at least one element per row"
        raise DataError(name, message, byte=begin)
    header = NpyHeader(dtype, shape, fortran_order, file.tell())
    found = begin + size - header.start
    if not all(length >= 0 for length in shape) or header.size != found:
        message = f"the header declares {dtype} of shape {shape}, {header.size:,} bytes; {found:,} follow"
        raise DataError(name, message, byte=begin)
    return header
