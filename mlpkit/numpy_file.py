"""Arrays in .npy and .npz files of the user's.

Nothing in them is ever run, and no memory is set aside before the header agrees with the number of bytes at hand.

Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
"""

from __future__ import annotations

import io
import os
import re
import warnings
import zipfile
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit.components.schema.wording import listed
from mlpkit.errors import DataError
from mlpkit.system import is_regular

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    if len(shape) <= MOST_DIMENSIONS and all(length > 0 for length in shape) and prod(shape) < MOST_ELEMENTS:
        return ""
    expected = f"expected up to {MOST_DIMENSIONS} dimensions, with at least one value in each"
    return f"has the shape {repr(shape)[:100]}; {expected}"


NUMPY_SUFFIXES: Final = (".npy", ".npz")
UNREADABLE: Final = "can't be read as a NumPy file"
MOST_NAMES_SHOWN: Final = 10


def read_numpy_file(path: Path, array: str = "x") -> NDArray[Any]:
    """Read the array of an .npy file, or of an .npz file the one of some name or the only one.

    Raises:
        DataError: the file is missing, corrupt, of another format, or holds something else than numbers.
    """
    if path.suffix not in NUMPY_SUFFIXES:
        raise DataError(path, f"unknown file type '{path.suffix}'; expected .npy or .npz")
    try:
        if not is_regular(path):  # opening a named pipe would wait for ever
            raise DataError(path, f"is {'a folder' if path.is_dir() else 'not a regular file'}; expected an array")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                raise DataError(path, f"{UNREADABLE}: the file is empty")
            if path.suffix == ".npz":
                return _from_archive(path, file, array)
            read_npy_header(file, str(path), size)
            file.seek(0)
            return _array(file)
    except FileNotFoundError as error:
        raise DataError(path, "no such file") from error
    except (OSError, MemoryError) as error:
        raise DataError(path, f"{UNREADABLE}: {getattr(error, 'strerror', None) or error}") from error


def _from_archive(path: Path, file: IO[bytes], array: str) -> NDArray[Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            member = _only_array(path, archive, array)
            name = f"{path}, array '{member.filename.removesuffix('.npy')}'"
            with archive.open(member) as content:
                read_npy_header(content, name, member.file_size)
            with archive.open(member) as content:  # from the beginning, so that its checksum is compared
                return _array(content)
    except (DataError, OSError, MemoryError):
        raise
    except Exception as error:  # zipfile raises whatever a malformed archive leads it into
        raise DataError(path, f"{UNREADABLE}: {error}") from error


def _only_array(path: Path, archive: zipfile.ZipFile, array: str) -> zipfile.ZipInfo:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if len(members) < len(archive.infolist()):
        raise DataError(path, "holds two arrays with the same name; expected different names")
    if array not in members and len(members) != 1:
        shown = listed([repr(name)[1:-1] for name in members], MOST_NAMES_SHOWN)
        raise DataError(path, f"holds {len(members)} arrays ({shown}); expected one, or one called '{array}'")
    return members[array] if array in members else next(iter(members.values()))


def _array(content: IO[bytes]) -> NDArray[Any]:
    array: NDArray[Any] = np.lib.format.read_array(content, allow_pickle=False)
    return array
