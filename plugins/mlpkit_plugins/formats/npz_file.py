""".npz files: several arrays in a ZIP archive.

An uncompressed array, as from ``np.savez``, stays in the file; a compressed array is read into memory.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

import numpy as np

from mlpkit import Array, DataError, did_you_mean, read_npy_header
from mlpkit_plugins.formats.rows_on_disk import Rows, RowsOnDisk
from mlpkit_plugins.formats.texts import first_of

NPY: Final = b"\x93NUMPY"
"""First bytes of an .npy file."""

_LOCAL_HEADER: Final = struct.Struct("<26xHH")
_ENCRYPTED: Final = 1
_STEP: Final = 1 << 20


def npz_array(file: IO[bytes], array: str, name: str) -> Rows:
    """Return an array of an archive, which may be closed afterwards.

    The checksum of a compressed array is checked here, that of an uncompressed array by ``check_checksum``.
    """
    label = f"{name}, array '{array}'"
    with _opened(file, name) as archive:
        member = _member(archive, array, name)
        if _is_stored(member):
            file.seek(_start(file, member))
            return RowsOnDisk(file, read_npy_header(file, label, member.file_size), label)
        with archive.open(member) as content:
            read_npy_header(content, label, member.file_size)
        with archive.open(member) as content:
            values: Array = np.lib.format.read_array(content, allow_pickle=False)
            return values


def npz_shapes(file: IO[bytes], name: str) -> dict[str, tuple[int, ...] | None]:
    """Return the shape of each array of an archive; None for an array of other values than numbers."""
    shapes: dict[str, tuple[int, ...] | None] = {}
    with _opened(file, name) as archive:
        for member in archive.infolist():
            with archive.open(member) as content:
                try:
                    shape = read_npy_header(content, name, member.file_size).shape
                except DataError:
                    shape = None
            shapes[member.filename.removesuffix(".npy")] = shape
    return shapes


def check_checksum(file: IO[bytes], array: str, name: str) -> None:
    """Check the checksum of an array that stays in its file."""
    with _opened(file, name) as archive:
        member = _member(archive, array, name)
        if _is_stored(member):
            with archive.open(member) as content:
                while content.read(_STEP):
                    pass


@contextmanager
def _opened(file: IO[bytes], name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (DataError, OSError):
        raise
    except Exception as error:  # malformed archives make zipfile raise anything
        file.seek(0)
        if file.read(len(NPY)) == NPY:
            raise DataError(name, "is an .npy file, of one array; read it with the data set npy") from error
        raise DataError(name, f"can't be read as an .npz file: {error}") from error


def _member(archive: zipfile.ZipFile, array: str, name: str) -> zipfile.ZipInfo:
    members = [info for info in archive.infolist() if info.filename.removesuffix(".npy") == array]
    if len(members) > 1:
        raise DataError(name, f"there are {len(members)} arrays '{array}'")
    if not members:
        names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
        remedy = did_you_mean(array, names) or f"it has {first_of(names) or 'none'}; name one of these"
        raise DataError(name, f"there is no array '{array}'; {remedy}")
    return members[0]


def _is_stored(member: zipfile.ZipInfo) -> bool:
    return member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & _ENCRYPTED


def _start(file: IO[bytes], member: zipfile.ZipInfo) -> int:
    """Return the offset of a member's content, which depends on its local header."""
    file.seek(member.header_offset)
    name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    return member.header_offset + _LOCAL_HEADER.size + int(name) + int(extra)
