"""IDX files, MNIST's format: an array of bytes after a short header.

The header is two zero bytes, the type of an element (8: unsigned byte), the number of dimensions, then the length
of each dimension as a big-endian 32-bit integer. Files whose name ends in ``.gz`` are decompressed. A damaged or
malicious file takes no more memory than its size justifies.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.files.regular_file import GzipStream, regular_file, sized

IDX_SUFFIXES = ("", ".gz", ".idx", ".idx3-ubyte")
"""Suffixes of IDX files of images. The commonest name, ``train-images-idx3-ubyte``, has no suffix."""

UNSIGNED_BYTE = 8
LARGEST_DEFLATE_RATIO = 1032
"""The largest expansion that deflate allows."""

_STEP = 1 << 20
"""Bytes read at a time, which bounds memory during decompression."""


def read_idx(path: Path, rank: int) -> NDArray[np.uint8]:
    """Read the array of an IDX file.

    Args:
        path: the file; decompressed if its name ends in ``.gz``.
        rank: number of dimensions that the file must have: 3 for images, 1 for labels.

    Raises:
        DataError: the file can't be read, or is not exactly what its header declares.
    """
    with _reading(path) as (stream, size):
        shape = _read_shape(stream, path, rank, size)
        try:
            values = np.empty(shape, np.uint8)
        except MemoryError as error:
            message = f"the header declares {_declared(shape)}, more than fits into memory"
            raise idx_error(path, message, byte=4) from error
        length = _fill(stream, values)
        if length < values.size:
            raise _wrong_length(path, shape, "short", len(idx_header(shape)) + length)
        if stream.read(1):
            raise _wrong_length(path, shape, "long", len(idx_header(shape)) + length)
    return values


def read_idx_and_checksum(path: Path, rank: int) -> tuple[NDArray[np.uint8], str]:
    """Read the array of an IDX file as ``read_idx`` does, and return it with the SHA-256 of the file's content."""
    from hashlib import sha256  # noqa: PLC0415 - reading a header needs no checksum

    values = read_idx(path, rank)
    checksum = sha256(idx_header(values.shape))
    checksum.update(values.data)
    return values, checksum.hexdigest()


def read_idx_shape(path: Path, rank: int) -> tuple[int, ...]:
    """Read the shape of an IDX file's array from the file's first bytes, with the errors of ``read_idx``."""
    with _reading(path) as (stream, size):
        return _read_shape(stream, path, rank, size)


def idx_header(shape: tuple[int, ...]) -> bytes:
    """Return the header of an IDX file that holds bytes in that shape."""
    return bytes((0, 0, UNSIGNED_BYTE, len(shape))) + np.array(shape, ">u4").tobytes()


def idx_error(path: Path, message: str, *, byte: int) -> DataError:
    """Return the error for a wrong byte of the content, with a note if the file is compressed."""
    note = " (counted in the decompressed content)" if _is_compressed(path) else ""
    return DataError(path, message + note, byte=byte)


def _is_compressed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


@contextmanager
def _reading(path: Path) -> Iterator[tuple[BufferedReader | GzipStream, int]]:
    """Open a file and yield its content as a stream, with the file's own size."""
    with regular_file(path, path, "an IDX file") as file:
        content = sized(file)
        yield GzipStream(content, path) if _is_compressed(path) else content, os.fstat(file.fileno()).st_size


def _read_shape(stream: BufferedReader | GzipStream, path: Path, rank: int, size: int) -> tuple[int, ...]:
    magic = bytes((0, 0, UNSIGNED_BYTE, rank))
    length = len(magic) + 4 * rank
    header = bytearray(length)
    received = _fill(stream, np.frombuffer(header, np.uint8))
    for byte, (actual, expected) in enumerate(zip(header[: min(received, 4)], magic, strict=False)):
        if actual != expected:
            message = (
                f"the magic number is 0x{header[:4].hex()}; expected 0x{magic.hex()}, "
                f"which stands for bytes in {rank} dimension{'' if rank == 1 else 's'}"
            )
            raise idx_error(path, message, byte=byte)
    if received < length:
        message = f"the content ends within the header; expected a header of {length} bytes"
        raise idx_error(path, message, byte=received)
    shape = tuple(int(number) for number in np.frombuffer(header, ">u4", offset=4))
    if 0 in shape:
        axis = shape.index(0)
        message = f"dimension {axis + 1} of {rank} has length 0; expected at least 1"
        raise idx_error(path, message, byte=4 + 4 * axis)
    _check_size(path, shape, size)
    return shape


def _check_size(path: Path, shape: tuple[int, ...], size: int) -> None:
    """Compare the declared size with the file's size, before memory is allocated."""
    declared = len(idx_header(shape)) + math.prod(shape)
    if _is_compressed(path):
        if declared > size * LARGEST_DEFLATE_RATIO:
            message = f"the header declares {_declared(shape)}, more than {size:,} compressed bytes can hold"
            raise idx_error(path, message, byte=4)
    elif declared > size:
        raise _wrong_length(path, shape, "short", size)
    elif declared < size:
        raise _wrong_length(path, shape, "long", declared)


def _fill(stream: BufferedReader | GzipStream, values: NDArray[np.uint8]) -> int:
    """Read until the array is full or the stream ends, and return the number of bytes read."""
    flat = values.data.cast("B")
    received = 0
    while received < len(flat):
        count = stream.readinto(flat[received : received + _STEP])
        if not count:
            break
        received += count
    return received


def _wrong_length(path: Path, shape: tuple[int, ...], is_too: str, byte: int) -> DataError:
    return idx_error(path, f"the content is too {is_too}; the header declares {_declared(shape)}", byte=byte)


def _declared(shape: tuple[int, ...]) -> str:
    total = len(idx_header(shape)) + math.prod(shape)
    return f"{' x '.join(str(length) for length in shape)} elements, {total:,} bytes in all"
