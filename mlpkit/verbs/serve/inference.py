"""The Open Inference Protocol, version 2: metadata of models, and inference with tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit.verbs.serve.refusals import BAD_REQUEST, UNSUPPORTED, Refusal
from mlpkit.verbs.serve.rows import Rows, json_of
from mlpkit.verbs.serve.tensors import BYTES, Blob, Tensor, datatype_of, refuse, require_names, tensor_of
from mlpkit.version import VERSION

if TYPE_CHECKING:
    from mlpkit.jobs.predict import Predictions
    from mlpkit.verbs.serve.batch import Predicted
    from mlpkit.verbs.serve.models import Loaded, Version

JSON_LENGTH: Final = "Inference-Header-Content-Length"
INPUT: Final = "input"
"""What the input of a model that takes arrays is called; another name will do, too."""
PLATFORM: Final = "mlpkit"
SERVER: Final = {"name": "mlpkit", "version": VERSION, "extensions": ["binary_tensor_data"]}


def metadata(version: Version, versions: list[str]) -> dict[str, Any]:
    """Return what a model takes and gives."""
    loaded = version.loaded
    return {
        "name": version.model,
        "versions": versions,
        "platform": PLATFORM,
        "inputs": inputs_of(loaded),
        "outputs": [
            {**tensor.head, "shape": [-1, *tensor.values.shape[1:]]} for tensor in outputs_of(loaded, _example(loaded))
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


def outputs_of(loaded: Loaded, predictions: Predictions) -> list[Tensor]:
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
    from mlpkit.jobs.predict import predicted_values, predictions_of  # noqa: PLC0415 - rarely asked for

    network = loaded.model.network
    values = predicted_values(loaded.model, np.zeros((1, *network.input_shape), network.dtype))
    coverage = network.adjustments.coverage
    found = predictions_of(loaded.model, values)
    if coverage is None or not coverage.is_fitted:
        return found
    return found.__class__(**{**vars(found), "regions": coverage.regions(values)})


class Asked(NamedTuple):
    """An inference request.

    Args:
        document: its JSON.
        loaded: the model that answers.
        rows: the rows in its inputs.
    """

    document: Mapping[str, Any]
    loaded: Loaded
    rows: Rows


def asked(body: bytes, headers: Mapping[str, str], loaded: Loaded) -> Asked:
    """Return the inference request in a body, or raise ``Refusal``."""
    document, binary = _parts(body, headers)
    rows = rows_of_tensors(_inputs(document, binary), loaded)
    return Asked(document, loaded, rows)


def answer(version: Version, request: Asked, found: Predicted) -> tuple[bytes, dict[str, str]]:
    """Return the answer to an inference request, and its headers, or raise ``Refusal``."""
    document, wanted = request.document, _outputs_wanted(request.document)
    tensors = {tensor.name: tensor for tensor in outputs_of(request.loaded, found.predictions)}
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


def _parts(body: bytes, headers: Mapping[str, str]) -> tuple[dict[str, Any], Blob]:
    """Return the JSON of a request, and the bytes after it."""
    kind, length = headers.get("content-type", "").partition(";")[0].strip().lower(), headers.get(JSON_LENGTH.lower())
    if kind not in ("", "application/json", "application/octet-stream"):
        expected = "application/json, or application/octet-stream for the binary extension"
        raise Refusal(UNSUPPORTED, f"the Content-Type is {kind!r}", code="wrong-value", expected=expected)
    if length is not None and not (length.isascii() and length.isdecimal() and int(length[:20]) <= len(body)):
        expected = "the number of bytes of JSON at the beginning of the body"
        raise Refusal(BAD_REQUEST, f"{JSON_LENGTH} is {length!r}", code="wrong-value", expected=expected)
    end = len(body) if length is None else int(length)
    document = json_of(body[:end])
    if not isinstance(document, dict):
        refuse("$", "the request is not an object", "wrong-type", expected="an object with inputs")
    if not isinstance(document.get("id", ""), str):
        refuse("$.id", "the id is not a text", "wrong-type")
    if not isinstance(document.get("parameters", {}), dict):
        refuse("$.parameters", "the parameters are not an object", "wrong-type")
    return document, Blob(body[end:])


def _inputs(document: Mapping[str, Any], binary: Blob) -> list[Tensor]:
    inputs = document.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        refuse("$.inputs", "the request has no inputs", "missing-key", expected="a list of tensors")
    tensors = [tensor_of(each, f"$.inputs[{number}]", binary) for number, each in enumerate(inputs)]
    binary.require_empty()
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
