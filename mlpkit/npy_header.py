"""The header of an .npy file: what array follows, and where.

Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
"""

from __future__ import annotations

import io
import re
import warnings
from math import prod
from typing import IO, Any, Final, NamedTuple

import numpy as np

from mlpkit.errors import DataError

LARGEST_HEADER: Final = 10_000
MOST_DIMENSIONS: Final = 32
"""As many as every version of NumPy can handle."""
MOST_ELEMENTS: Final = 2**60

_ADDRESS: Final = re.compile(r" object at 0x\w+")
_VERSION: Final = 6
"""Offset of the format's version, after the magic bytes."""
_LENGTH: Final = 8
"""Offset of the header's length, in 2 or 4 bytes before the header."""
_READERS: Final = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class NpyHeader(NamedTuple):
    """The header of an .npy file, or of an array in an .npz file.

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
    """Read the header of an .npy file from the file's position, and compare it with the file's size.

    Nothing in it is run or unpickled, and no more than 10,012 bytes are read.

    Args:
        file: the file.
        name: what to call it in messages.
        size: bytes from there to the end of the array.

    Raises:
        DataError: the header is damaged, or its array has another size or holds something else than numbers.
    """
    begin = file.tell()
    if not size:  # a file in /proc might never end
        raise DataError(name, "the file is empty; expected an .npy file", byte=begin)
    head = io.BytesIO(file.read(min(size, LARGEST_HEADER + _LENGTH + 4)))
    dtype, shape, fortran_order = _read_layout(head, name, begin)
    header = NpyHeader(dtype, shape, fortran_order, begin + head.tell())
    found = begin + size - header.start
    if header.size != found:
        message = f"the header declares {dtype} of shape {shape}, {header.size:,} bytes; {found:,} follow"
        raise DataError(name, message, byte=begin)
    return header


def _read_layout(head: IO[bytes], name: str, begin: int) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    place = begin
    try:
        with warnings.catch_warnings(action="ignore"):
            version = np.lib.format.read_magic(head)
            place = begin + _LENGTH
            if version not in _READERS:
                found = ".".join(map(str, version))
                raise DataError(name, f"has the .npy format {found}; expected 1.0 or 2.0", byte=begin + _VERSION)
            shape, fortran_order, dtype = _READERS[version](head, max_header_size=LARGEST_HEADER)
    except DataError:
        raise
    except Exception as error:  # NumPy raises whatever a malformed header leads it into
        reason = _ADDRESS.sub("", " ".join(str(error).split()))[:200]
        raise DataError(name, f"is not an .npy file: {reason}", byte=place) from error
    fault = _unfit_dtype(dtype) or _unfit_shape(shape)
    if fault:
        raise DataError(name, fault, byte=place)
    return dtype, shape, fortran_order


def _unfit_dtype(dtype: np.dtype[Any]) -> str:
    """Return why the array isn't numeric, or nothing."""
    if dtype.kind in "biuf" and dtype.itemsize <= 8:
        return ""
    holds = "Python objects, which can run code" if dtype.hasobject else str(dtype)[:100]
    message = f"holds {holds}; expected numbers of up to 64 bits"
    if dtype.kind in "US":
        message += "; if they name classes, np.unique(t, return_inverse=True)[1] gives their numbers"
    return message


def _unfit_shape(shape: tuple[int, ...]) -> str:
    """Return why an array can't have that shape, or nothing."""
    if len(shape) > MOST_DIMENSIONS:
        return f"has {len(shape)} dimensions; expected up to {MOST_DIMENSIONS}"
    if any(type(length) is not int or length < 0 for length in shape) or prod(shape) >= MOST_ELEMENTS:
        return f"has the shape {repr(shape)[:100]}; expected a tuple of sizes"
    if 0 in shape:
        return f"has the shape {shape}; expected at least one row, with at least one value in each"
    return ""
