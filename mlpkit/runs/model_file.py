"""Model files: safetensors, with a checksum over every byte."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from io import BufferedReader
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
        len(description) == 3 and fits([shape, [begin, end]], [[_is_size]]) and end - begin == item * math.prod(shape)
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
    head, order = _head(path, arrays, metadata)
    data = [_bytes_of(arrays[name]) for name in order]
    found = _DIGITS.search(head)
    assert found is not None
    digits = _checksum(head, found, data)
    write_atomically(path, [head[: found.start(1)], digits.encode(), head[found.end(1) :], *data])


def require_storable(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
    """Raise ``StorageError`` if a file can't hold such arrays and metadata, before any time is spent on them."""
    _head(path, arrays, metadata)


def load_model_file(path: Path) -> ModelFile:
    """Read a model file, and check all of it before anything is returned, or raise ``ModelFileError``.

    Nothing in the file is ever run, and memory is bounded by the file's size and 64 MB, which the longest header
    allowed may take.
    """
    try:
        if not is_regular(path):
            raise ModelFileError(f"{path}: is {'a folder' if path.is_dir() else 'not a regular file'}; {_EXPECTED}")
        with path.open("rb") as file:
            return _read(path, file)
    except (FileNotFoundError, ValueError) as error:  # ValueError: a zero byte in the path
        raise ModelFileError(f"{path}: no such file; {_EXPECTED}") from error
    except OSError as error:
        raise reading_error(path, error, ModelFileError) from error
    except MemoryError as error:
        msg = f"{path}: is larger than the free memory; close other programs, or use a larger machine"
        raise ModelFileError(msg) from error


def _head(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> tuple[bytes, list[str]]:
    """Return the bytes up to the end of the header, whose checksum has zeros, and the order of the arrays."""
    try:
        described = {name: (_stored_dtype(name, array), array.shape) for name, array in arrays.items()}
        text = json_files.encode_compact({"format": FORMAT, "metadata": metadata, "sha256": _ZEROS}, sort=True)
        header, order = format_header(described, {_KEY: text})
    except ValueError as error:
        raise StorageError(f"{path}: can't be written: {error}") from error
    return len(header).to_bytes(LENGTH_BYTES, "little") + header, order


def _stored_dtype(name: str, array: Array) -> str:
    """Return the dtype that an array has in the file."""
    if not isinstance(name, str) or name == METADATA or name != name.encode(errors="ignore").decode():  # a surrogate
        raise ValueError(f"no array can have the name {name!r}; give it another")
    dtype = array.dtype.newbyteorder("<").str
    if dtype not in DTYPE_NAMES:
        msg = f"array {name!r} has the dtype {array.dtype}; expected booleans, or integers or floats of up to 64 bits"
        raise ValueError(msg)
    return dtype


def _bytes_of(array: Array) -> memoryview:
    """Return the bytes of an array as the file has them: contiguous in C order, little-endian."""
    stored = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    return stored.reshape(-1).view(np.uint8).data


def _read(path: Path, file: BufferedReader) -> ModelFile:
    """Read a file; nothing is taken from a header whose sizes aren't those of the file."""
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(LENGTH_BYTES)
    length = int.from_bytes(start, "little")
    if 0 < size < LENGTH_BYTES or length > LARGEST_HEADER:
        raise ModelFileError(f"{path}: is not a model file; {_EXPECTED}")
    head = start + file.read(length)
    header, metadata = _parse(path, head[LENGTH_BYTES:])
    digits = _DIGITS.search(head)
    if digits is None or header.data_size != size - len(head):
        raise _damaged(path)
    data = bytearray(header.data_size)
    if file.readinto(data) < len(data) or _checksum(head, digits, [data]) != digits[1].decode():
        raise _damaged(path)
    try:
        arrays: dict[str, Array] = {
            entry.name: np.ndarray(entry.shape, entry.dtype, buffer=data, offset=entry.begin)
            for entry in header.entries
        }
    except ValueError as error:  # more axes than NumPy has, or sizes too large for it
        raise _damaged(path) from error
    return ModelFile(path, arrays, metadata, digits[1].decode())


def _damaged(path: Path) -> ModelFileError:
    message = "is damaged: its checksum doesn't match its content; restore it from a copy, or train again"
    return ModelFileError(f"{path}: {message}")


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


def _checksum(head: bytes, digits: re.Match[bytes], data: Iterable[bytearray | memoryview]) -> str:
    """Return the SHA-256 over the file with its own digits zeroed."""
    checksum = hashlib.sha256(head[: digits.start(1)] + _ZEROS.encode() + head[digits.end(1) :])
    for part in data:
        checksum.update(part)
    return checksum.hexdigest()
