"""Saves and loads a model file: named arrays and plain metadata, in the safetensors format, with a checksum.

The file has one metadata key, ``mlpkit``, whose text is JSON with sorted keys: the format's version, the
metadata, and a SHA-256 over the whole file in which the digits of the SHA-256 itself are zeros. The same
model gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlpkit.errors import ModelFileError, StorageError
from mlpkit.runs import plain_json
from mlpkit.runs.atomic import write_atomically
from mlpkit.runs.safetensors_header import (
    DTYPE_NAMES,
    LARGEST_HEADER,
    LENGTH_BYTES,
    METADATA,
    MOST_AXES,
    Header,
    format_header,
    parse_header,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from io import FileIO
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT = 1
_KEY = "mlpkit"
_ZEROS = "0" * 64
_EXPECTED = "expected the model.safetensors of a run folder"
_DAMAGED = "restore it from a copy, or train again"


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds.

    Args:
        arrays: the arrays by name; they are writable, and views of one block of memory.
        metadata: the metadata, as plain data.
        sha256: the checksum inside the file, in hexadecimal digits; equal models have equal ones.
    """

    arrays: dict[str, NDArray[Any]]
    metadata: dict[str, Any]
    sha256: str


def save_model(path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> None:
    """Write a model file, whole or not at all.

    Args:
        path: the file; its folder exists.
        arrays: booleans, integers and floats of up to 64 bits, of any shape, strides and byte order.
        metadata: plain data; tuples become lists.

    Raises:
        StorageError: the file can't be written, or can't hold such an array, such metadata, or so many of them.
    """
    head = _head(path, arrays, metadata)
    data = [_bytes_of(arrays[name]) for name in head.order]
    digits = _checksum(head.content, head.place, data)
    rest = head.content[head.place + len(digits) :]
    write_atomically(path, [head.content[: head.place], digits.encode(), rest, *data])


def expect_storable(path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> None:
    """Make sure that a file can hold such arrays and metadata, before any time is spent on them.

    Args:
        path: the file that they are meant for.
        arrays: arrays of the same names, dtypes and shapes.
        metadata: as for ``save_model``.

    Raises:
        StorageError: it can't.
    """
    _head(path, arrays, metadata)


def load_model_file(path: Path) -> ModelFile:
    """Read a model file and check all of it before anything is returned.

    Nothing in the file is ever run, and memory is bounded by the file's size and 64 MB, which the longest
    header allowed may take.

    Raises:
        ModelFileError: the file is missing, damaged, of a newer format, or not a model file of mlpkit.
    """
    try:
        _require_file(path)
        with path.open("rb", buffering=0) as file:
            return _read(path, file)
    except OSError as error:
        msg = f"{path}: can't be read: {error.strerror or error}; check the path and who may read it"
        raise ModelFileError(msg) from error
    except MemoryError as error:
        msg = f"{path}: is larger than the free memory; close other programs, or use a larger machine"
        raise ModelFileError(msg) from error


class _Head(NamedTuple):
    """What a file begins with, up to the end of the header, the digits of the checksum being zeros.

    Args:
        content: the bytes.
        place: where among them the digits stand.
        order: the names of the arrays, in the order in which their bytes follow.
    """

    content: bytes
    place: int
    order: list[str]


def _head(path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> _Head:
    try:
        described = {name: (_stored_dtype(name, array), array.shape) for name, array in arrays.items()}
        text = plain_json.encode_compact({"format": FORMAT, "metadata": metadata, "sha256": _ZEROS}, sort=True)
        header, order = format_header(described, {_KEY: text})
    except ValueError as error:
        msg = f"{path}: can't be written: {error}"
        raise StorageError(msg) from error
    content = len(header).to_bytes(LENGTH_BYTES, "little") + header
    place = _place_of_digits(content, text, _ZEROS)
    assert place is not None
    return _Head(content, place, order)


def _stored_dtype(name: str, array: NDArray[Any]) -> str:
    """Return the dtype that an array has in the file."""
    if not isinstance(name, str) or name == METADATA or not _is_unicode(name):
        msg = f"no array can have the name {name!r}; give it another"
        raise ValueError(msg)
    dtype = array.dtype.newbyteorder("<").str
    if dtype not in DTYPE_NAMES:
        msg = f"array {name!r} has the dtype {array.dtype}; expected booleans, or integers or floats of up to 64 bits"
        raise ValueError(msg)
    if array.ndim > MOST_AXES:
        msg = f"array {name!r} has {array.ndim} axes; expected up to {MOST_AXES}"
        raise ValueError(msg)
    return dtype


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """Return the bytes of an array as the file has them: contiguous in C order, little-endian."""
    stored = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    return stored.reshape(-1).view(np.uint8).data


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _place_of_digits(head: bytes, text: str, digits: str) -> int | None:
    """Return where in a file's head the checksum's digits stand.

    A quotation mark inside a JSON string is always escaped, so that no array's name can look like the key.
    """
    start = f'"{_KEY}":'.encode()
    written = json.dumps(text).encode()
    found = head.find(start + written)
    return None if found < 0 else found + len(start) + written.rindex(digits.encode())


def _require_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, ValueError) as error:  # ValueError: a zero byte in the path
        msg = f"{path}: there is no such file; {_EXPECTED}"
        raise ModelFileError(msg) from error
    if stat.S_ISDIR(mode):
        inside = path / "model.safetensors"
        remedy = f"give {inside}" if inside.is_file() else _EXPECTED
        msg = f"{path}: is a folder; {remedy}"
        raise ModelFileError(msg)
    if not stat.S_ISREG(mode):
        msg = f"{path}: is not a regular file; {_EXPECTED}"
        raise ModelFileError(msg)


def _read(path: Path, file: FileIO) -> ModelFile:
    size = file.seek(0, 2)
    file.seek(0)
    if size == 0:
        msg = f"{path}: is empty; {_DAMAGED}"
        raise ModelFileError(msg)
    head, header = _read_header(path, file, size)
    text = header.metadata.get(_KEY)
    if text is None:
        msg = f"{path}: is a safetensors file, but not one of mlpkit's; {_EXPECTED}"
        raise ModelFileError(msg)
    metadata, digits = _parse_metadata(path, text)
    _require_size(path, size, len(head) + header.data_size)
    data = _take(path, file, header.data_size)
    place = _place_of_digits(head, text, digits)
    if place is None or _checksum(head, place, [data]) != digits:
        msg = f"{path}: is damaged: its checksum doesn't match its content; {_DAMAGED}"
        raise ModelFileError(msg)
    arrays: dict[str, NDArray[Any]] = {
        entry.name: np.ndarray(entry.shape, entry.dtype, buffer=data, offset=entry.begin) for entry in header.entries
    }
    return ModelFile(arrays, metadata, digits)


def _read_header(path: Path, file: FileIO, size: int) -> tuple[bytes, Header]:
    """Return all bytes up to the end of the header, and what the header says."""
    start = _take(path, file, min(size, LENGTH_BYTES))
    length = int.from_bytes(start, "little")
    if size < LENGTH_BYTES or length > LARGEST_HEADER:
        msg = f"{path}: is not a model file; {_EXPECTED}"
        raise ModelFileError(msg)
    _require_size(path, size, LENGTH_BYTES + length, exactly=False)
    text = bytes(_take(path, file, length))
    try:
        return bytes(start) + text, parse_header(text)
    except ValueError as error:
        msg = f"{path}: is not a model file, or is damaged: in its header: {error}; {_DAMAGED}"
        raise ModelFileError(msg) from error


def _parse_metadata(path: Path, text: str) -> tuple[dict[str, Any], str]:
    """Return the metadata and the checksum's digits."""
    try:
        content = plain_json.decode(text.encode())
    except ValueError as error:
        msg = f"{path}: is damaged: in its metadata: {error}; {_DAMAGED}"
        raise ModelFileError(msg) from error
    version = content.get("format") if isinstance(content, dict) else None
    if type(version) is int and version > FORMAT:
        msg = f"{path}: has format {version}, and this mlpkit reads up to {FORMAT}; upgrade mlpkit"
        raise ModelFileError(msg)
    if type(version) is int and version == FORMAT and set(content) == {"format", "metadata", "sha256"}:
        metadata, digits = content["metadata"], content["sha256"]
        if isinstance(metadata, dict) and isinstance(digits, str) and re.fullmatch("[0-9a-f]{64}", digits):
            return metadata, digits
    msg = f"{path}: is damaged: its metadata is not what mlpkit writes; {_DAMAGED}"
    raise ModelFileError(msg)


def _require_size(path: Path, size: int, expected: int, *, exactly: bool = True) -> None:
    if size < expected:
        msg = f"{path}: is cut off: it has {size} bytes, and expected are {expected}; {_DAMAGED}"
        raise ModelFileError(msg)
    if exactly and size > expected:
        msg = f"{path}: is damaged: it has {size} bytes, and expected are {expected}; {_DAMAGED}"
        raise ModelFileError(msg)


def _take(path: Path, file: FileIO, count: int) -> bytearray:
    """Read exactly so many bytes."""
    block = bytearray(count)
    rest = memoryview(block)
    while rest:
        done = file.readinto(rest)
        if not done:
            msg = f"{path}: became shorter while it was read; try again when nobody writes to it"
            raise ModelFileError(msg)
        rest = rest[done:]
    return block


def _checksum(head: bytes, place: int, data: Iterable[bytearray | memoryview]) -> str:
    """Return the SHA-256 over the file with its own digits zeroed."""
    checksum = hashlib.sha256(head[:place])
    checksum.update(_ZEROS.encode())
    checksum.update(head[place + len(_ZEROS) :])
    for part in data:
        checksum.update(part)
    return checksum.hexdigest()
