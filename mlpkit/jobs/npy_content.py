"""The content of an .npy file: a header that says what array follows, and the array's bytes.

Nothing in it is ever run, and no memory is set aside before the header agrees with the number of bytes at hand.

Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
"""

from __future__ import annotations

import ast
import warnings
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from typing import IO

    from numpy.typing import NDArray

MAGIC: Final = b"\x93NUMPY"
LENGTH_BYTES: Final = {1: 2, 2: 4}
"""Bytes that give the header's length, by version of the format."""
LARGEST_HEADER: Final = 10_000
MOST_AXES: Final = 32
DTYPES: Final = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}

_STEP = 2**20
"""Bytes read at a time, so that decompression holds no more than that beside the array."""


class NpyFault(Exception):  # noqa: N818 - the reader of the file makes it an error with the file's name
    """What is wrong with the content.

    Args:
        message: what is wrong.
        byte: offset of the wrong byte, counted from 0.
    """

    def __init__(self, message: str, byte: int) -> None:
        self.message = message
        self.byte = byte
        super().__init__(message)


class _Layout(NamedTuple):
    """What a header says."""

    dtype: np.dtype[Any]
    fortran_order: bool
    shape: tuple[int, ...]


def read_npy(stream: IO[bytes], size: int) -> NDArray[Any]:
    """Return the array.

    Args:
        stream: the content, from its beginning.
        size: how many bytes it has.

    Raises:
        NpyFault: it is none, is incomplete, goes on too long, or holds something else than numbers.
    """
    header, start = _read_header(stream)
    layout = _layout(header, start)
    expected = start + layout.dtype.itemsize * prod(layout.shape)
    declared = f"the header declares {layout.dtype} of shape {layout.shape}, {expected:,} bytes in all"
    if size < expected:
        raise NpyFault(f"the content ends too early; {declared}", size)
    if size > expected:
        raise NpyFault(f"the content goes on too long; {declared}", expected)
    values = np.empty(prod(layout.shape), layout.dtype)
    received = start + _fill(stream, values.data.cast("B")) if values.size else start
    if received < expected:
        raise NpyFault(f"the content ends too early; {declared}", received)
    if stream.read(1):  # for a compressed stream, this also compares its checksum
        raise NpyFault(f"the content goes on too long; {declared}", expected)
    return values.reshape(layout.shape, order="F" if layout.fortran_order else "C")


def _read_header(stream: IO[bytes]) -> tuple[bytes, int]:
    """Return the header, and the offset of the first byte after it."""
    magic = stream.read(len(MAGIC))
    if magic != MAGIC:
        raise NpyFault(f"it starts with {magic!r}; expected {MAGIC!r}", 0)
    version = tuple(stream.read(2))
    if version not in ((1, 0), (2, 0)):
        raise NpyFault(f"it has the format {'.'.join(map(str, version))}; expected 1.0 or 2.0", len(MAGIC))
    begin = len(MAGIC) + 2
    digits = stream.read(LENGTH_BYTES[version[0]])
    length = int.from_bytes(digits, "little")
    if length > LARGEST_HEADER:
        raise NpyFault(f"its header has {length:,} bytes; expected up to {LARGEST_HEADER:,}", begin)
    header = stream.read(length)
    start = begin + len(digits) + length
    if len(digits) < LENGTH_BYTES[version[0]] or len(header) < length:
        raise NpyFault("the content ends within the header", begin + len(digits) + len(header))
    return header, start


def _layout(header: bytes, start: int) -> _Layout:
    place = start - len(header)
    try:
        with warnings.catch_warnings(action="ignore"):
            said = ast.literal_eval(header.decode("latin-1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise NpyFault("its header is no Python literal", place) from error
    if not isinstance(said, dict) or set(said) != {"descr", "fortran_order", "shape"}:
        raise NpyFault("its header is no mapping of descr, fortran_order and shape", place)
    descr, fortran_order, shape = said["descr"], said["fortran_order"], said["shape"]
    if not isinstance(descr, str) or descr[:1] not in "<>|=" or descr[1:] not in DTYPES:
        what = "Python objects, which would be run as code" if descr == "|O" else repr(descr)[:100]
        raise NpyFault(f"it holds {what}; expected numbers of up to 64 bits", place)
    if type(fortran_order) is not bool:
        raise NpyFault("fortran_order is neither True nor False", place)
    sizes = isinstance(shape, tuple) and all(type(length) is int and length >= 0 for length in shape)
    if not sizes or len(shape) > MOST_AXES or prod(length or 1 for length in shape) >= 2**60:
        raise NpyFault(f"it has the shape {repr(shape)[:100]}; expected a tuple of sizes", place)
    return _Layout(np.dtype(descr), fortran_order, shape)


def _fill(stream: IO[bytes], target: memoryview) -> int:
    """Read until the target is full or the stream ends; return the number of bytes that came."""
    received = 0
    while received < len(target):
        part = stream.read(min(_STEP, len(target) - received))
        if not part:
            break
        target[received : received + len(part)] = part
        received += len(part)
    return received
