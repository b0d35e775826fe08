"""Arrays in .npy and .npz files of the user's.

Nothing in them is ever run, and no memory is set aside before the header agrees with the number of bytes at hand.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.schema.wording import listed
from mlpkit.errors import DataError
from mlpkit.npy_header import NpyHeader, read_npy_header
from mlpkit.system import is_regular

if TYPE_CHECKING:
    from numpy.typing import NDArray


NUMPY_SUFFIXES: Final = (".npy", ".npz")
UNREADABLE: Final = "can't be read as a NumPy file"
LARGEST_DEFLATE_RATIO: Final = 1032
"""Deflate never makes more than this many bytes out of one."""
ENCRYPTED: Final = 1
"""The flag of an archive's member that needs a password."""
MOST_NAMES_SHOWN: Final = 10

_STEP: Final = 2**20
"""Bytes read at a time, so that decompression holds no more than that beside the array."""


def read_numpy_file(path: Path, array: str = "x") -> NDArray[Any]:
    """Read the array of an .npy file, or of an .npz file the one of some name or the only one.

    A damaged or malicious file costs no more memory than its own size can justify.

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
                return _from_archive(path, file, size, array)
            header = read_npy_header(file, str(path), size)
            file.seek(0)
            return _array(file, header, str(path))
    except FileNotFoundError as error:
        raise DataError(path, "no such file") from error
    except (OSError, MemoryError) as error:
        raise DataError(path, f"{UNREADABLE}: {getattr(error, 'strerror', None) or error}") from error


def _from_archive(path: Path, file: IO[bytes], size: int, array: str) -> NDArray[Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            member = _only_array(path, archive, array)
            _require_honest_sizes(path, member, size)
            name = f"{path}, array '{member.filename.removesuffix('.npy')}'"
            with archive.open(member) as content:
                header = read_npy_header(content, name, member.file_size)
            with archive.open(member) as content:  # from the beginning, so that its checksum is compared
                return _array(content, header, name)
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


def _require_honest_sizes(path: Path, member: zipfile.ZipInfo, size: int) -> None:
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


def _array(content: IO[bytes], header: NpyHeader, name: str) -> NDArray[Any]:
    """Return the array, from content at its beginning."""
    content.read(header.start)
    values = np.empty(header.size // header.dtype.itemsize, header.dtype)
    if _fill(content, values.data.cast("B")) < header.size:
        raise DataError(name, f"the content is too short; the header declares {header.size:,} bytes")
    if content.read(1):  # for a compressed stream, this also compares its checksum
        raise DataError(name, f"the content is too long; the header declares {header.size:,} bytes")
    return values.reshape(header.shape, order="F" if header.fortran_order else "C")


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
