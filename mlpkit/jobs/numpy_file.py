"""The content of an .npy file: a header that says what array follows, and the array's bytes.

Nothing in it is ever run, and no memory is set aside before the header agrees with the number of bytes at hand.

Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
"""

from __future__ import annotations

import ast
import os
import stat
import warnings
import zipfile
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path
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
        NpyFault: it isn't an .npy file, is incomplete, goes on too long, or holds something else than numbers.
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


NUMPY_SUFFIXES: Final = (".npy", ".npz")
UNREADABLE: Final = "can't be read as a NumPy file"
LARGEST_DEFLATE_RATIO: Final = 1032
"""Deflate never makes more than this many bytes out of one."""
ENCRYPTED: Final = 1
"""The flag of an archive's member that needs a password."""
MOST_NAMES_SHOWN: Final = 10


def read_numpy_file(path: Path) -> NDArray[Any]:
    """Read the array of an .npy file, or of an .npz file the one called ``x`` or the only one.

    A damaged or malicious file costs no more memory than its own size can justify.

    Raises:
        DataError: the file is missing, corrupt, of another format, or holds something else than numbers.
    """
    if path.suffix not in NUMPY_SUFFIXES:
        raise DataError(path, f"unknown file type '{path.suffix}'; expected .npy or .npz")
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # opening a named pipe would wait for ever
            raise DataError(path, f"is {'a folder' if stat.S_ISDIR(mode) else 'not a regular file'}; expected an array")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not size:  # a file in /proc might never end
                raise DataError(path, f"{UNREADABLE}: the file is empty")
            return _from_archive(path, file, size) if path.suffix == ".npz" else read_npy(file, size)
    except FileNotFoundError as error:
        raise DataError(path, "no such file") from error
    except (OSError, MemoryError) as error:
        raise DataError(path, f"{UNREADABLE}: {getattr(error, 'strerror', None) or error}") from error
    except NpyFault as fault:
        raise DataError(path, f"{UNREADABLE}: {fault.message}", byte=fault.byte) from fault


def _from_archive(path: Path, file: IO[bytes], size: int) -> NDArray[Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            member = _only_array(path, archive)
            _expect_honest_sizes(path, member, size)
            with archive.open(member) as content:
                return read_npy(content, member.file_size)
    except NpyFault as fault:
        note = f" (counted in the member {member.filename!r})"
        raise DataError(path, f"{UNREADABLE}: {fault.message}{note}", byte=fault.byte) from fault
    except (DataError, OSError, MemoryError):
        raise
    except Exception as error:  # zipfile raises whatever a malformed archive leads it into
        raise DataError(path, f"{UNREADABLE}: {error}") from error


def _only_array(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if len(members) < len(archive.infolist()):
        raise DataError(path, "holds two arrays of one name; expected names that differ")
    if "x" not in members and len(members) != 1:
        shown = ", ".join(repr(name)[1:-1] for name in list(members)[:MOST_NAMES_SHOWN])
        more = ", ..." if len(members) > MOST_NAMES_SHOWN else ""
        raise DataError(path, f"holds {len(members)} arrays ({shown}{more}); expected one, or one called 'x'")
    return members["x"] if "x" in members else next(iter(members.values()))


def _expect_honest_sizes(path: Path, member: zipfile.ZipInfo, size: int) -> None:
    """Compare what the archive declares with its size, before anything is decompressed."""
    if member.flag_bits & ENCRYPTED:
        raise DataError(path, f"{UNREADABLE}: the member {member.filename!r} needs a password")
    ratios = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: LARGEST_DEFLATE_RATIO}
    if member.compress_type not in ratios:
        expected = "expected it stored or deflated, as NumPy does"
        raise DataError(path, f"{UNREADABLE}: the member {member.filename!r} is compressed in another way; {expected}")
    if member.compress_size > size or member.file_size > member.compress_size * ratios[member.compress_type]:
        message = f"the member {member.filename!r} declares {member.file_size:,} bytes, more than it can hold"
        raise DataError(path, f"{UNREADABLE}: {message}")
