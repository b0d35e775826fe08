"""Model files: safetensors, with a checksum over every byte."""

from __future__ import annotations

import hashlib
import json
import math
import re
import stat
from collections.abc import Iterable, Mapping
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlpkit.array import Array
from mlpkit.errors import ModelFileError, StorageError
from mlpkit.runs import json_files
from mlpkit.runs.files import reading_error, write_atomically
from mlpkit.runs.json_files import fits
from mlpkit.system import is_regular

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

FORMAT = 1
_KEY = "mlpkit"
_ZEROS = "0" * 64
_EXPECTED = "expected the model.safetensors of a run folder"
_DIGITS = re.compile(rb'\\"sha256\\":\\"([0-9a-f]{64})\\"}"}')
"""The checksum in a header, where the metadata ends; names and texts hold no quotation mark that is not escaped."""
_NO_HEADER = "not the header of a safetensors file"


class Entry(NamedTuple):
    """An array of a file: little-endian NumPy dtype, shape, and where its bytes are after the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class Header(NamedTuple):
    """The arrays of a file, in the order of their bytes, its free texts, and the size of the arrays in bytes."""

    entries: tuple[Entry, ...]
    metadata: dict[str, str]
    data_size: int


def format_header(
    arrays: Mapping[str, tuple[str, tuple[int, ...]]], metadata: Mapping[str, str]
) -> tuple[bytes, list[str]]:
    """Return the header of a file, and the names of its arrays in the order in which their bytes are to follow.

    Arrays, given by name as NumPy dtype, little-endian, and shape, are sorted by item size, so that each is aligned. A
    header larger than a file's reader takes is a ``ValueError``.

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
        raise ValueError(f"names and metadata take {len(text):,} bytes; expected up to {LARGEST_HEADER:,}")
    try:
        json_files.require_few_parts(text)
    except ValueError as error:
        raise ValueError(f"{len(order):,} arrays, with their metadata, are too many: {error}") from error
    return text, order


def parse_header(text: bytes) -> Header:
    """Read a header, and prove that its arrays fill the data without a gap or overlap, or raise ``ValueError``.

    Source: https://huggingface.co/docs/safetensors, Format.
    """
    content = json_files.decode(text)
    try:
        metadata = content.pop(METADATA, {})
        texts = all(isinstance(value, str) for value in metadata.values())
        entries = [_entry(name, description) for name, description in content.items()]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(_NO_HEADER) from error
    entries.sort(key=lambda entry: (entry.begin, entry.end))
    ends = [0, *(entry.end for entry in entries)]
    if not texts or [entry.begin for entry in entries] != ends[:-1]:
        raise ValueError(_NO_HEADER)
    return Header(tuple(entries), metadata, ends[-1])


def _entry(name: str, description: Any) -> Entry:
    dtype, shape, (begin, end) = (description[key] for key in ("dtype", "shape", "data_offsets"))
    item = _item_size(NUMPY_DTYPES[dtype])
    right = (
        len(description) == 3
        and fits([shape, [begin, end]], [[_is_size]])
        and len(shape) <= MOST_AXES
        # An empty array may have huge axes beside the one that is zero, which NumPy refuses all the same.
        and item * math.prod(size or 1 for size in shape) <= _MOST_BYTES
        and end - begin == item * math.prod(shape)
    )
    if not right:
        raise ValueError(_NO_HEADER)
    return Entry(name, NUMPY_DTYPES[dtype], tuple(shape), begin, end)


def _item_size(dtype: str) -> int:
    return int(dtype[2:])


def _is_size(value: Any) -> bool:
    return type(value) is int and value >= 0


class ModelFile(NamedTuple):
    """What a model file holds: writable arrays in one block of memory, metadata, and the checksum of all."""

    path: Path
    arrays: dict[str, Array]
    metadata: dict[str, Any]
    sha256: str


def save_model(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
    """Write a model file, whole or not at all, or raise ``StorageError``; its folder exists.

    The arrays are booleans, integers and floats of up to 64 bits, of any shape, strides and byte order; the metadata is
    plain data, whose tuples become lists.
    """
    head = _head(path, arrays, metadata)
    data = [_bytes_of(arrays[name]) for name in head.order]
    digits = _checksum(head.content, head.place, data)
    rest = head.content[head.place + len(digits) :]
    write_atomically(path, [head.content[: head.place], digits.encode(), rest, *data])


def require_storable(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
    """Raise ``StorageError`` if a file can't hold such arrays and metadata, before any time is spent on them."""
    _head(path, arrays, metadata)


def load_model_file(path: Path) -> ModelFile:
    """Read a model file, and check all of it before anything is returned, or raise ``ModelFileError``.

    Nothing in the file is ever run, and memory is bounded by the file's size and 64 MB, which the longest header
    allowed may take.
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
    """The bytes up to the end of the header, whose checksum has zeros at a place; and the order of the arrays."""

    content: bytes
    place: int
    order: list[str]


def _head(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> _Head:
    try:
        described = {name: (_stored_dtype(name, array), array.shape) for name, array in arrays.items()}
        text = json_files.encode_compact({"format": FORMAT, "metadata": metadata, "sha256": _ZEROS}, sort=True)
        header, order = format_header(described, {_KEY: text})
    except ValueError as error:
        raise StorageError(f"{path}: can't be written: {error}") from error
    content = len(header).to_bytes(LENGTH_BYTES, "little") + header
    digits = _DIGITS.search(content)
    assert digits is not None
    return _Head(content, digits.start(1), order)


def _stored_dtype(name: str, array: Array) -> str:
    """Return the dtype that an array has in the file."""
    if not isinstance(name, str) or name == METADATA or name != name.encode(errors="ignore").decode():  # a surrogate
        raise ValueError(f"no array can have the name {name!r}; give it another")
    dtype = array.dtype.newbyteorder("<").str
    if dtype not in DTYPE_NAMES:
        msg = f"array {name!r} has the dtype {array.dtype}; expected booleans, or integers or floats of up to 64 bits"
        raise ValueError(msg)
    if array.ndim > MOST_AXES:
        raise ValueError(f"array {name!r} has {array.ndim} axes; expected up to {MOST_AXES}")
    return dtype


def _bytes_of(array: Array) -> memoryview:
    """Return the bytes of an array as the file has them: contiguous in C order, little-endian."""
    stored = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    return stored.reshape(-1).view(np.uint8).data


def _require_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, ValueError) as error:  # ValueError: a zero byte in the path
        raise ModelFileError(f"{path}: no such file; {_EXPECTED}") from error
    if stat.S_ISDIR(mode):
        inside = path / "model.safetensors"
        remedy = f"give {inside}" if inside.is_file() else _EXPECTED
        raise ModelFileError(f"{path}: is a folder; {remedy}")
    if not is_regular(path):
        raise ModelFileError(f"{path}: is not a regular file; {_EXPECTED}")


def _read(path: Path, file: FileIO) -> ModelFile:
    size = file.seek(0, 2)
    file.seek(0)
    head = _read_head(path, file, size)
    digits = _DIGITS.search(head)
    data = _take(path, file, size - len(head)) if digits else bytearray()
    if digits and _checksum(head, digits.start(1), [data]) != digits[1].decode():
        raise _damaged(path)
    header, metadata = _parse(path, head[LENGTH_BYTES:])
    if digits is None or header.data_size != len(data):
        raise _damaged(path)
    arrays: dict[str, Array] = {
        entry.name: np.ndarray(entry.shape, entry.dtype, buffer=data, offset=entry.begin) for entry in header.entries
    }
    return ModelFile(path, arrays, metadata, digits[1].decode())


def _damaged(path: Path) -> ModelFileError:
    message = "is damaged: its checksum doesn't match its content; restore it from a copy, or train again"
    return ModelFileError(f"{path}: {message}")


def _read_head(path: Path, file: FileIO, size: int) -> bytes:
    """Return all bytes up to the end of the header, or of the file."""
    start = bytes(_take(path, file, min(size, LENGTH_BYTES)))
    length = int.from_bytes(start, "little")
    if 0 < size < LENGTH_BYTES or length > LARGEST_HEADER:
        raise ModelFileError(f"{path}: is not a model file; {_EXPECTED}")
    return start + _take(path, file, min(length, size - len(start)))


def _parse(path: Path, text: bytes) -> tuple[Header, dict[str, Any]]:
    """Return the content of a header, and the metadata in it."""
    try:
        header = parse_header(text)
        if _KEY not in header.metadata:
            raise ModelFileError(f"{path}: is a safetensors file, but not one of mlpkit's; {_EXPECTED}")
        content = json_files.decode(header.metadata[_KEY].encode())
        version = content["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error
    if type(version) is int and version > FORMAT:
        raise ModelFileError(f"{path}: has format {version}, and this mlpkit reads up to {FORMAT}; upgrade mlpkit")
    if version != FORMAT or len(content) != 3 or not fits(content, {"format": int, "metadata": dict, "sha256": str}):
        raise _damaged(path)
    return header, content["metadata"]


def _take(path: Path, file: FileIO, count: int) -> bytearray:
    """Read exactly ``count`` bytes."""
    block = bytearray(count)
    rest = memoryview(block)
    while rest:
        done = file.readinto(rest)
        if not done:
            msg = f"{path}: became shorter while it was read; try again once it is no longer being written"
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
