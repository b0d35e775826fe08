"""The header of a safetensors file: which arrays it holds, and where; every byte accounted for."""

from __future__ import annotations

import hashlib
import json
import math
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlpkit.errors import ModelFileError, StorageError
from mlpkit.runs import json_files as plain_json
from mlpkit.runs.files import reading_error, write_atomically
from mlpkit.runs.json_files import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from io import FileIO
    from pathlib import Path

    from numpy.typing import NDArray


LENGTH_BYTES = 8
LARGEST_HEADER = 4 * 2**20
"""Bytes; a file of a model's size may cost no more memory than its own size and 64 MB."""
METADATA = "__metadata__"

NUMPY_DTYPES = {
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
}
DTYPE_NAMES = {dtype: name for name, dtype in NUMPY_DTYPES.items()}
MOST_AXES = 32  # what every version of NumPy can hold
_MOST_BYTES = 2**63 - 1


@dataclass(frozen=True)
class Entry:
    """One array of a file.

    Args:
        name: the array's name.
        dtype: its NumPy dtype, little-endian.
        shape: its shape.
        begin: offset of its first byte, counted from the end of the header.
        end: offset after its last byte.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a header says.

    Args:
        entries: the arrays, in the order of their bytes.
        metadata: the free texts of the file.
        data_size: bytes that the arrays take together.
    """

    entries: tuple[Entry, ...]
    metadata: dict[str, str]
    data_size: int


def format_header(
    arrays: Mapping[str, tuple[str, tuple[int, ...]]], metadata: Mapping[str, str]
) -> tuple[bytes, list[str]]:
    """Return the header of a file, and the names of its arrays in the order in which their bytes are to follow.

    Arrays of larger items lie first, so that each begins at a multiple of its item's size.

    Args:
        arrays: NumPy dtype, little-endian, and shape of each array, by name.
        metadata: the free texts of the file.

    Raises:
        ValueError: the header would be larger than ``parse_header``, or a file's reader, takes.

    Source: https://huggingface.co/docs/safetensors, Format.
    """
    order = sorted(arrays, key=lambda name: (-_item_size(arrays[name][0]), name))
    content: dict[str, Any] = {METADATA: metadata} if metadata else {}
    position = 0
    for name in order:
        dtype, shape = arrays[name]
        end = position + _item_size(dtype) * math.prod(shape)
        content[name] = {"dtype": DTYPE_NAMES[dtype], "shape": shape, "data_offsets": (position, end)}
        position = end
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH_BYTES)
    if len(text) > LARGEST_HEADER:
        msg = f"names and metadata take {len(text):,} bytes; expected up to {LARGEST_HEADER:,}"
        raise ValueError(msg)
    try:
        plain_json.expect_few_parts(text)
    except ValueError as error:
        msg = f"{len(order):,} arrays, with their metadata, are too many: {error}"
        raise ValueError(msg) from error
    return text, order


def parse_header(text: bytes) -> Header:
    """Read a header, and prove that its arrays fill the data without a gap or an overlap.

    Raises:
        ValueError: the header is not that of a safetensors file with arrays that NumPy knows.

    Source: https://huggingface.co/docs/safetensors, Format.
    """
    content = plain_json.decode(text)
    if not isinstance(content, dict):
        msg = "expected a JSON object"
        raise ValueError(msg)  # noqa: TRY004 - one exception for all that can be wrong in a file
    metadata = content.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        msg = "expected a mapping of texts as metadata"
        raise ValueError(msg)
    entries = sorted(
        (_entry(name, description) for name, description in content.items()),
        key=lambda entry: (entry.begin, entry.end),
    )
    position = 0
    for entry in entries:
        if entry.begin != position:
            msg = f"array {shortened(entry.name)} begins at byte {entry.begin} of the data; expected {position}"
            raise ValueError(msg)
        position = entry.end
    return Header(tuple(entries), metadata, position)


def _entry(name: str, description: Any) -> Entry:
    if not isinstance(description, dict) or set(description) != {"dtype", "shape", "data_offsets"}:
        msg = f"array {shortened(name)} is not described by dtype, shape and data_offsets"
        raise ValueError(msg)
    dtype, shape, offsets = description["dtype"], description["shape"], description["data_offsets"]
    if not isinstance(dtype, str) or dtype not in NUMPY_DTYPES:
        msg = f"array {shortened(name)} has the dtype {shortened(dtype)}; expected one of {', '.join(NUMPY_DTYPES)}"
        raise ValueError(msg)
    if not _are_sizes(shape) or len(shape) > MOST_AXES:
        msg = f"array {shortened(name)} has the shape {shortened(shape)}; expected a list of up to {MOST_AXES} sizes"
        raise ValueError(msg)
    item = _item_size(NUMPY_DTYPES[dtype])
    # An empty array may have huge axes beside the one that is zero, which NumPy refuses all the same.
    if item * math.prod(size or 1 for size in shape) > _MOST_BYTES:
        msg = f"array {shortened(name)} has the shape {shortened(shape)}, which is too large"
        raise ValueError(msg)
    if not _are_sizes(offsets) or len(offsets) != len(("begin", "end")):
        msg = f"array {shortened(name)} has the data_offsets {shortened(offsets)}; expected begin and end"
        raise ValueError(msg)
    begin, end = offsets
    size = item * math.prod(shape)
    if end - begin != size:
        msg = f"array {shortened(name)} takes {end - begin} bytes; expected {size} for its dtype and shape"
        raise ValueError(msg)
    return Entry(name, NUMPY_DTYPES[dtype], tuple(shape), begin, end)


def _item_size(dtype: str) -> int:
    return int(dtype[2:])


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


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
        raise reading_error(path, error, ModelFileError) from error
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
