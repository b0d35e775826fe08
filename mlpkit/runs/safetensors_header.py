"""The header of a safetensors file: which arrays it holds, and where; every byte accounted for."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpkit.runs import plain_json
from mlpkit.runs.plain_json import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

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
