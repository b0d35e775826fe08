"""Tensors of the Open Inference Protocol, version 2: as JSON, and as bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import chain
from math import prod
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np

from mlpkit.array import Array
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.verbs.serve.refusals import WRONG, Refusal
from mlpkit.verbs.serve.rows import require_in_range

BYTES: Final = "BYTES"
MOST_AXES: Final = 32
DTYPES: Final[Mapping[str, str]] = {
    "BOOL": "?",
    **{
        f"{kind}{8 * size}": f"<{letter}{size}"
        for kind, letter in (("UINT", "u"), ("INT", "i"))
        for size in (1, 2, 4, 8)
    },
    **{f"FP{8 * size}": f"<f{size}" for size in (2, 4, 8)},
}
"""NumPy's type for each datatype but ``BYTES``, which holds texts."""
IN_JSON: Final[Mapping[str, set[type]]] = {"b": {bool}, "u": {int}, "i": {int}, "f": {int, float}}
"""The Python types of a tensor's elements in JSON, by NumPy's kind of type."""


class Tensor(NamedTuple):
    """A tensor with a name.

    Args:
        name: its name.
        datatype: the protocol's name for the type of its elements.
        values: its elements; texts as objects.
    """

    name: str
    datatype: str
    values: Array

    @property
    def head(self) -> dict[str, Any]:
        """Name, datatype and shape as plain data."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.values.shape)}

    def as_json(self) -> dict[str, Any]:
        """Return it with its elements as a flat list."""
        return {**self.head, "data": self.values.reshape(-1).tolist()}

    def as_bytes(self) -> bytes:
        """Return its elements as the binary extension sends them."""
        if self.datatype != BYTES:
            return np.ascontiguousarray(self.values, DTYPES[self.datatype]).tobytes()
        texts = [text.encode() for text in self.values.reshape(-1).tolist()]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def datatype_of(values: Array) -> str:
    """Return the protocol's name for the type of an array's elements."""
    if values.dtype.kind in "OU":
        return BYTES
    return next(name for name, dtype in DTYPES.items() if np.dtype(dtype) == values.dtype)


def tensor_of(document: Any, path: str, binary: Blob) -> Tensor:
    """Return the tensor that an input of a request describes, or raise ``Refusal``; ``binary`` has its bytes."""
    if not isinstance(document, dict):
        refuse(path, "an input is not an object", "wrong-type", expected="name, datatype, shape and data")
    name, datatype, shape = (document.get(key) for key in ("name", "datatype", "shape"))
    if not isinstance(name, str):
        refuse(f"{path}.name", "an input has no name", "missing-key", expected="a text")
    if not isinstance(datatype, str) or (datatype != BYTES and datatype not in DTYPES):
        remedy = did_you_mean(str(datatype), (BYTES, *DTYPES))
        expected = f"one of {', '.join((BYTES, *DTYPES))}"
        refuse(
            f"{path}.datatype", f"there is no datatype {datatype!r}", "wrong-value", expected=expected, remedy=remedy
        )
    sizes = shape if isinstance(shape, list) and len(shape) <= MOST_AXES else []
    if not sizes or not all(type(n) is int and 0 < n < 2**40 for n in sizes):
        expected = f"a list of up to {MOST_AXES} whole numbers from 1 up"
        refuse(f"{path}.shape", "the shape is wrong", "wrong-shape", expected=expected)
    size = (document.get("parameters") or {}).get("binary_data_size") if _has_parameters(document) else None
    if size is not None:
        values = _from_bytes(binary.take(size, path), datatype, path)
    else:
        values = _from_json(document.get("data"), datatype, f"{path}.data")
    if len(values) != prod(sizes):
        found = f"the shape {sizes} has {prod(sizes):,} elements, and the data {len(values):,}"
        refuse(f"{path}.shape", found, "wrong-shape")
    if values.dtype.kind in "iuf":
        require_in_range(values, f"{path}.data")
    return Tensor(name, datatype, values.reshape(sizes))


def _has_parameters(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("parameters"), dict)


class Blob:
    """The bytes after the JSON of a request, taken tensor by tensor."""

    def __init__(self, content: bytes) -> None:
        self._content, self._taken = content, 0

    def take(self, size: Any, path: str) -> bytes:
        """Return the next bytes, or raise ``Refusal``."""
        left = len(self._content) - self._taken
        if type(size) is not int or not 0 <= size <= left:
            message = f"binary_data_size is {size!r}, and {left:,} bytes are left"
            refuse(f"{path}.parameters.binary_data_size", message, "wrong-value")
        self._taken += size
        return self._content[self._taken - size : self._taken]

    def require_empty(self) -> None:
        """Check that all bytes were taken, or raise ``Refusal``."""
        if left := len(self._content) - self._taken:
            refuse("$.inputs", f"{left:,} bytes belong to no input", "wrong-value")


def _from_bytes(content: bytes, datatype: str, path: str) -> Array:
    if datatype == BYTES:
        return _texts_from_bytes(content, path)
    dtype = np.dtype(DTYPES[datatype])
    if len(content) % dtype.itemsize:
        refuse(path, f"{len(content):,} bytes are no whole number of elements of {datatype}", "wrong-shape")
    return np.frombuffer(content, dtype)


def _texts_from_bytes(content: bytes, path: str) -> Array:
    texts, place = list[str](), 0
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "little")
        place += 4 + length
        if place > len(content):
            refuse(path, "a text is longer than the bytes that are left", "wrong-value")
        try:
            texts.append(content[place - length : place].decode())
        except UnicodeDecodeError:
            refuse(f"{path}.data[{len(texts)}]", "a text is not UTF-8", "wrong-value")
    return np.array([*texts, None], object)[:-1]


def _from_json(data: Any, datatype: str, path: str) -> Array:
    if not isinstance(data, list) or not data:
        refuse(path, "an input has no data", "missing-key", expected="a list, or binary_data_size in parameters")
    while isinstance(data[0], list):
        if not all(isinstance(part, list) and part for part in data):
            refuse(path, "the lists have several depths, or are empty", "wrong-shape")
        data = [*chain.from_iterable(data)]
    dtype = np.dtype(DTYPES.get(datatype, object))
    types = IN_JSON.get(dtype.kind, {str})
    for number, value in enumerate(data):
        if type(value) not in types:
            expected = "a text" if datatype == BYTES else f"a value of {datatype}"
            refuse(f"{path}[{number}]", "an element has another type", "wrong-type", expected=expected)
    try:
        return np.array([*data, None], object)[:-1] if datatype == BYTES else np.array(data, dtype)
    except OverflowError:
        refuse(path, f"a number is not in the range of {datatype}", "out-of-range")


def refuse(path: str, message: str, code: Any, *, expected: str = "", remedy: str = "") -> NoReturn:
    """Raise ``Refusal`` for what is wrong at a JSON path."""
    raise Refusal(WRONG, message, code=code, path=path, expected=expected, remedy=remedy)


def require_names(names: Sequence[str], known: Sequence[str], path: str, what: str) -> None:
    """Check that names are known, and each is there once, or raise ``Refusal``."""
    for number, name in enumerate(names):
        if name not in known:
            remedy = did_you_mean(name, known)
            expected = "" if remedy else f"one of {', '.join(known)}"
            message = f"the model has no {what} '{name}'"
            refuse(f"{path}[{number}].name", message, "unknown-key", expected=expected, remedy=remedy)
        if name in names[:number]:
            refuse(f"{path}[{number}].name", f"the {what} '{name}' is there twice", "duplicate-name")
