"""A model and its engine as the text of an ES module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final, NamedTuple

import numpy as np

from mlpkit import Array, Classes, NotExportableError
from mlpkit.graph import ModelGraph, Node, operator_of

ARRAYS: Final = {"float32": "<f4", "float64": "<f8", "int64": "<f8", "bool": "u1"}
"""The engine's representation of each dtype: integers as doubles, exact up to 2^53."""


class Packed(NamedTuple):
    """Arrays in the engine's format.

    Args:
        arrays: dtype, shape, and offset of each array, by name; for texts, the elements.
        content: the numbers, little-endian.
    """

    arrays: dict[str, Any]
    content: bytes


def module_text(model: ModelGraph, constants: Packed, content: str) -> str:
    """Return the engine with a model in it, and an expression for the bytes of its constants, as a module."""
    graph = js_literal(_plain_graph(model, constants.arrays))
    return (
        f"{source('operators.js')}\n{source('engine.js')}\n/** @type {{Graph}} */\nconst GRAPH = {graph};\n\n"
        f"export const model = load(GRAPH, {content});\nexport const predict = model.predict;\n"
    )


def js_literal(value: Any) -> str:
    """Return plain data as a JavaScript expression, in which ``__proto__`` is an ordinary key."""
    return json.dumps(value).replace("<", "\\u003c").replace('"__proto__":', '["__proto__"]:')


def source(name: str) -> str:
    """Return the text of a source file of exports."""
    return (files("mlpkit_plugins.exporters") / "js" / name).read_text("utf-8")


def model_constants(model: ModelGraph) -> Packed:
    """Return the used constants of a model."""
    used = {name for node in model.graph.nodes for name in node.inputs}
    return packed({name: array for name, array in model.graph.constants.items() if name in used})


def packed(arrays: Mapping[str, Array]) -> Packed:
    """Convert arrays to the engine's format, or raise ``NotExportableError``."""
    headers: dict[str, Any] = {}
    content = bytearray()
    for name, array in arrays.items():
        dtype = engine_dtype(array.dtype, name)
        headers[name] = {"dtype": dtype, "shape": list(array.shape)}
        if dtype == "str":
            headers[name]["elements"] = [str(text) for text in array.ravel()]
        else:
            headers[name]["offset"] = len(content)
            content += array.astype(ARRAYS[dtype]).tobytes()
    return Packed(headers, bytes(content))


def engine_dtype(dtype: np.dtype[Any], name: str) -> str:
    """Return the engine's name of a dtype, or raise ``NotExportableError``, with the name of the array."""
    if dtype.kind in "UOT":
        return "str"
    engine_name = "int64" if dtype.kind in "iu" else dtype.name
    if engine_name not in ARRAYS:
        known = ", ".join((*ARRAYS, "str"))
        raise NotExportableError(f"{name} is of {dtype.name}, which JavaScript's engine doesn't know; it knows {known}")
    return engine_name


def _plain_graph(model: ModelGraph, constants: Mapping[str, Any]) -> dict[str, Any]:
    graph, target = model.graph, model.target
    classes = list(model.class_names or range(target.count)) if isinstance(target, Classes) else None
    return {
        "name": model.provenance.get("name", ""),
        "inputs": [
            {**feed._asdict(), "dtype": engine_dtype(np.dtype(feed.dtype), f"the input {name}")}
            for name, feed in graph.feeds.items()
        ],
        "outputs": {name.removeprefix("predicted_"): value.name for name, value in graph.outputs.items()},
        "classes": classes,
        "targets": model.target_names,
        **({"coverage": model.provenance["coverage"]} if "coverage" in model.provenance else {}),
        "layers": _layers(model),
        "constants": constants,
        "nodes": [_plain_node(node) for node in graph.nodes],
    }


def _layers(model: ModelGraph) -> list[tuple[str, str]]:
    """Return the network's input and the output of each layer, each with the name of its value."""
    names = [node.outputs[0] for node in model.graph.nodes]
    first = names.index(model.encoded.name) + 1 if model.encoded.name in names else 0
    layers = {node.made_by: node.outputs[0] for node in model.graph.nodes[first:] if node.made_by}
    return [("input", model.encoded.name), *layers.items()]


def _plain_node(node: Node) -> dict[str, Any]:
    operator_of(node)
    return {
        "operator": node.operator,
        "inputs": node.inputs,
        "output": node.outputs[0],
        "attributes": {name: _plain(value) for name, value in node.attributes.items()},
    }


def _plain(value: Any) -> Any:
    """Return an attribute as plain data."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
