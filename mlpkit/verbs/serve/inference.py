"""The Open Inference Protocol, version 2: metadata of models, and inference with tensors."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import numpy as np

from mlpkit.array import Array
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.jobs.predict import Predictions, predicted_values, predictions_of
from mlpkit.verbs.serve.refusals import BAD_REQUEST, UNSUPPORTED, WRONG, Refusal
from mlpkit.verbs.serve.rows import Rows, json_of, require_in_range
from mlpkit.version import VERSION

if TYPE_CHECKING:
    from mlpkit.verbs.serve.batch import Predicted
    from mlpkit.verbs.serve.models import Loaded, Version

JSON_LENGTH: Final = "Inference-Header-Content-Length"
INPUT: Final = "input"
"""What the input of a model that takes arrays is called; another name will do, too."""
PLATFORM: Final = "mlpkit"
SERVER: Final = {"name": "mlpkit", "version": VERSION, "extensions": ["binary_tensor_data"]}

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


def metadata(version: Version, versions: list[str]) -> dict[str, Any]:
    """Return what a model takes and gives."""
    loaded = version.loaded
    return {
        "name": version.model,
        "versions": versions,
        "platform": PLATFORM,
        "inputs": inputs_of(loaded),
        "outputs": [
            {**tensor.head, "shape": [-1, *tensor.values.shape[1:]]} for tensor in outputs_of(_example(loaded))
        ],
    }


def inputs_of(loaded: Loaded) -> list[dict[str, Any]]:
    """Return the inputs of a model: one for each column, or an array."""
    if loaded.columns is None:
        return [{"name": INPUT, "datatype": "FP64", "shape": [-1, *loaded.model.network.input_shape]}]
    return [
        {"name": column.name, "datatype": "FP64" if column.is_number else BYTES, "shape": [-1]}
        for column in loaded.columns
    ]


def outputs_of(predictions: Predictions) -> list[Tensor]:
    """Return predictions as tensors: class and probabilities, labels and probabilities, or values, then regions."""
    values, found = predictions.values, dict[str, Any]()
    if predictions.classes is not None:
        found["class"] = np.array([predictions.label(row) for row in range(len(values))], object)
    if predictions.are_labels:
        found["labels"] = predictions.labels
    found["values" if predictions.classes is None and not predictions.are_labels else "probabilities"] = values
    found |= predictions.regions
    return [Tensor(name, datatype_of(each), each) for name, each in found.items()]


def _example(loaded: Loaded) -> Predictions:
    """Return predictions that only have the right shapes and types."""
    network = loaded.model.network
    values = predicted_values(loaded.model, np.zeros((1, *network.input_shape), network.dtype))
    coverage = network.adjustments.coverage
    found = predictions_of(loaded.model, values)
    if coverage is None or not coverage.is_fitted:
        return found
    return found.__class__(**{**vars(found), "regions": coverage.regions(values)})


def asked(body: bytes, headers: Mapping[str, str], loaded: Loaded) -> tuple[Mapping[str, Any], Rows]:
    """Return the inference request in a body, and its rows, or raise ``Refusal``."""
    document, binary = _parts(body, headers)
    return document, rows_of_tensors(_inputs(document, binary), loaded)


def answer(version: Version, document: Mapping[str, Any], found: Predicted) -> tuple[bytes, dict[str, str]]:
    """Return the answer to an inference request, and its headers, or raise ``Refusal``."""
    wanted = _outputs_wanted(document)
    tensors = {tensor.name: tensor for tensor in outputs_of(found.predictions)}
    require_names([*wanted], [*tensors], "$.outputs", "output")
    content: dict[str, Any] = {"model_name": version.model, "model_version": version.version}
    content |= {"id": document["id"]} if "id" in document else {}
    content |= {"parameters": {"warnings": "; ".join(dict.fromkeys(found.warnings))}} if found.warnings else {}
    heads, blobs = list[dict[str, Any]](), list[bytes]()
    for name, as_bytes in (wanted or dict.fromkeys(tensors, _wants_bytes(document))).items():
        if as_bytes:
            blobs.append(tensors[name].as_bytes())
            heads.append({**tensors[name].head, "parameters": {"binary_data_size": len(blobs[-1])}})
        else:
            heads.append(tensors[name].as_json())
    head = json.dumps({**content, "outputs": heads}, separators=(",", ":")).encode()
    if not blobs:
        return head, {"Content-Type": "application/json"}
    return b"".join([head, *blobs]), {"Content-Type": "application/octet-stream", JSON_LENGTH: str(len(head))}


def _parts(body: bytes, headers: Mapping[str, str]) -> tuple[dict[str, Any], BytesIO]:
    """Return the JSON of a request, and the bytes after it."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", "application/json", "application/octet-stream"):
        expected = "application/json, or application/octet-stream for the binary extension"
        raise Refusal(UNSUPPORTED, f"the Content-Type is {kind!r}", code="wrong-value", expected=expected)
    end = _end_of_json(body, headers.get(JSON_LENGTH.lower()))
    document = json_of(body[:end])
    if not isinstance(document, dict):
        refuse("$", "the request is not an object", "wrong-type", expected="an object with inputs")
    if not isinstance(document.get("id", ""), str):
        refuse("$.id", "the id is not a text", "wrong-type")
    if not isinstance(document.get("parameters", {}), dict):
        refuse("$.parameters", "the parameters are not an object", "wrong-type")
    return document, BytesIO(body[end:])


def _end_of_json(body: bytes, length: str | None) -> int:
    """Return how many bytes of a body are JSON: all of them, or as many as the header gives."""
    if length is None:
        return len(body)
    if re.fullmatch("[0-9]{1,19}", length) and int(length) <= len(body):
        return int(length)
    expected = "the number of bytes of JSON at the beginning of the body"
    raise Refusal(BAD_REQUEST, f"{JSON_LENGTH} is {length!r}", code="wrong-value", expected=expected)


def _inputs(document: Mapping[str, Any], binary: BytesIO) -> list[Tensor]:
    inputs = document.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        refuse("$.inputs", "the request has no inputs", "missing-key", expected="a list of tensors")
    tensors = [tensor_of(each, f"$.inputs[{number}]", binary) for number, each in enumerate(inputs)]
    if left := len(binary.read()):
        refuse("$.inputs", f"{left:,} bytes belong to no input", "wrong-value")
    return tensors


def _wants_bytes(document: Mapping[str, Any]) -> bool:
    return document.get("parameters", {}).get("binary_data_output") is True


def _outputs_wanted(document: Mapping[str, Any]) -> dict[str, bool]:
    """Return the outputs that a request asks for, and whether each is wanted as bytes; empty for all."""
    outputs = document.get("outputs", [])
    if not isinstance(outputs, list) or not all(
        isinstance(each, dict) and isinstance(each.get("name"), str) and isinstance(each.get("parameters", {}), dict)
        for each in outputs
    ):
        refuse("$.outputs", "the outputs are wrong", "wrong-type", expected="a list of objects with a name")
    wanted, default = dict[str, bool](), _wants_bytes(document)
    for number, each in enumerate(outputs):
        parameters = each.get("parameters", {})
        if "classification" in parameters:
            path = f"$.outputs[{number}].parameters.classification"
            refuse(path, "the classification extension isn't supported", "unknown-key", remedy="ask for class")
        wanted[each["name"]] = parameters.get("binary_data", default) is True
    return wanted


def rows_of_tensors(tensors: list[Tensor], loaded: Loaded) -> Rows:
    """Return the rows in a request's inputs: one tensor for each column, or one with all of them, or an array."""
    columns = loaded.columns
    if columns is None:
        if tensors[1:]:
            refuse("$.inputs", "the model takes one input", "wrong-shape")
        if tensors[0].datatype in (BYTES, "BOOL"):
            refuse("$.inputs[0].datatype", "the model takes an array of numbers", "wrong-type")
        return Rows(tensors[0].values, lambda row, _: f"$.inputs[0].data[{row}]")
    names = [column.name for column in columns]
    if len(tensors) == 1 and tensors[0].values.ndim == 2 and tensors[0].values.shape[1] == len(names) > 1:
        found = {name: values.tolist() for name, values in zip(names, tensors[0].values.T, strict=True)}
        return Rows(
            found, lambda row, column: f"$.inputs[0].data[{row * len(names) + names.index(column or names[0])}]"
        )
    given = [tensor.name for tensor in tensors]
    require_names(given, names, "$.inputs", "input")
    if missing := [name for name in names if name not in given]:
        refuse("$.inputs", f"there is no input '{missing[0]}'", "missing-key", expected=f"inputs {', '.join(names)}")
    rows = len(tensors[0].values)
    for number, tensor in enumerate(tensors):
        if tensor.values.shape not in {(rows,), (rows, 1)}:
            expected = f"[{rows}] or [{rows}, 1]"
            refuse(f"$.inputs[{number}].shape", "an input has another shape", "wrong-shape", expected=expected)
    found = {tensor.name: tensor.values.reshape(-1).tolist() for tensor in tensors}
    path = lambda row, column: f"$.inputs[{given.index(column or given[0])}].data[{row}]"  # noqa: E731 - a place
    return Rows({name: found[name] for name in names}, path)


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


def tensor_of(document: Any, path: str, binary: BytesIO) -> Tensor:
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
    parameters = document.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is not None:
        values = _from_bytes(_taken(binary, size, path), datatype, path)
    else:
        values = _from_json(document.get("data"), datatype, f"{path}.data")
    if len(values) != prod(sizes):
        found = f"the shape {sizes} has {prod(sizes):,} elements, and the data {len(values):,}"
        refuse(f"{path}.shape", found, "wrong-shape")
    if values.dtype.kind in "iuf":
        require_in_range(values, f"{path}.data")
    return Tensor(name, datatype, values.reshape(sizes))


def _taken(binary: BytesIO, size: Any, path: str) -> bytes:
    """Return the next bytes after the JSON of a request, or raise ``Refusal``."""
    content = binary.read(size) if type(size) is int and 0 <= size < 2**40 else b""
    if len(content) != size:
        message = f"binary_data_size is {size!r}, and fewer bytes are left"
        refuse(f"{path}.parameters.binary_data_size", message, "wrong-value")
    return content


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
