""".npz files: several arrays in a ZIP archive.

An array that is stored as it is, as ``np.savez`` does, stays in the file; one that is compressed is read into memory.
"""

from __future__ import annotations

import io
import struct
import zipfile
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from mlpkit import DataError, did_you_mean
from mlpkit_plugins.formats.npy_header import read_npy_header
from mlpkit_plugins.formats.rows_on_disk import rows_on_disk

if TYPE_CHECKING:
    from mlpkit_plugins.formats.rows_on_disk import Rows

LARGEST_DEFLATE_RATIO: Final = 1032
"""Deflate never makes more than this many bytes out of one."""

_LOCAL_HEADER: Final = struct.Struct("<26xHH")
_ENCRYPTED: Final = 1


def npz_array(file: IO[bytes], array: str, name: str) -> Rows:
    """Return an array of an archive.

    Args:
        file: the archive; it may be closed afterwards.
        array: the array's name.
        name: what to call the file in messages.

    Raises:
        DataError: the archive is damaged or has no such array.
    """
    label = f"{name}, array '{array}'"
    try:
        with zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if array not in members:
                remedy = did_you_mean(array, members) or f"it has {', '.join(list(members)[:10]) or 'none'}"
                raise DataError(name, f"there is no array '{array}'; {remedy}")
            member = members[array]
            if member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & _ENCRYPTED:
                file.seek(_start(file, member))
                return rows_on_disk(file, read_npy_header(file, label, member.file_size), label)
            _expect_honest_size(member, label)
            content = archive.read(member)
    except (DataError, OSError):
        raise
    except Exception as error:  # zipfile raises whatever a malformed archive leads it into
        raise DataError(name, f"can't be read as an .npz file: {error}") from error
    stream = io.BytesIO(content)
    header = read_npy_header(stream, label, len(content))
    flat = np.frombuffer(content, header.dtype, offset=header.start)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")


def _start(file: IO[bytes], member: zipfile.ZipInfo) -> int:
    """Return the offset of a member's content, which only the header before it knows."""
    file.seek(member.header_offset)
    name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    return member.header_offset + _LOCAL_HEADER.size + int(name) + int(extra)


def _expect_honest_size(member: zipfile.ZipInfo, label: str) -> None:
    """Compare what the archive declares with what it can hold, before anything is decompressed."""
    if member.flag_bits & _ENCRYPTED:
        raise DataError(label, "needs a password")
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise DataError(label, "is compressed in an unusual way; expected np.savez or np.savez_compressed")
    if member.file_size > member.compress_size * LARGEST_DEFLATE_RATIO:
        raise DataError(label, f"declares {member.file_size:,} bytes, more than {member.compress_size:,} can hold")
