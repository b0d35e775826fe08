"""A model and the engine that computes it, as text of an ES module."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit import Classes, NotExportableError
from mlpkit.graph import operator_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit import Array
    from mlpkit.graph import ModelGraph, Node

ARRAYS: Final = {"float32": "<f4", "float64": "<f8", "int64": "<f8", "bool": "u1"}
"""How the engine holds numbers of each dtype: integers as doubles, exact up to 2^53."""


class Packed(NamedTuple):
    """Arrays as the engine reads them.

    Args:
        arrays: dtype, shape, and place of each, by name; texts stand there.
        content: the numbers, little-endian.
    """

    arrays: dict[str, Any]
    content: bytes


def module_text(model: ModelGraph, constants: Packed, content: str) -> str:
    """Return the engine with a model in it, as a module that exports ``model`` and ``predict``.

    Args:
        model: the model.
        constants: its constants.
        content: the expression for their bytes.

    Raises:
        NotExportableError: mlpkit doesn't know an operator, or the engine a dtype.
    """
    graph = js_literal(_plain_graph(model, constants.arrays))
    return (
        f"{source('operators.js')}\n{source('engine.js')}\n/** @type {{Graph}} */\nconst GRAPH = {graph};\n\n"
        f"export const model = load(GRAPH, {content});\nexport const predict = model.predict;\n"
    )


def js_literal(value: Any) -> str:
    """Return plain data as an expression of JavaScript, in which ``__proto__`` is a key like any other."""
    return json.dumps(value).replace("<", "\\u003c").replace('"__proto__":', '["__proto__"]:')


def source(name: str) -> str:
    """Return the text of a file that exports are made from."""
    return (files("mlpkit_plugins.exporters") / "js" / name).read_text("utf-8")


def model_constants(model: ModelGraph) -> Packed:
    """Return the constants of a model that operators take.

    Raises:
        NotExportableError: the engine doesn't know a dtype.
    """
    used = {name for node in model.graph.nodes for name in node.inputs}
    return packed({name: array for name, array in model.graph.constants.items() if name in used})


def packed(arrays: Mapping[str, Array]) -> Packed:
    """Return arrays as the engine reads them.

    Raises:
        NotExportableError: the engine doesn't know a dtype.
    """
    found: dict[str, Any] = {}
    content = bytearray()
    for name, array in arrays.items():
        dtype = engine_dtype(array.dtype, name)
        found[name] = {"dtype": dtype, "shape": list(array.shape)}
        if dtype == "str":
            found[name]["elements"] = [str(text) for text in array.ravel()]
        else:
            found[name]["offset"] = len(content)
            content += array.astype(ARRAYS[dtype]).tobytes()
    return Packed(found, bytes(content))


def engine_dtype(dtype: np.dtype[Any], name: str) -> str:
    """Return the engine's name of a dtype.

    Args:
        dtype: the dtype.
        name: the array that has it, for a message.

    Raises:
        NotExportableError: the engine doesn't know it.
    """
    if dtype.kind in "UOT":
        return "str"
    found = "int64" if dtype.kind in "iu" else dtype.name
    if found not in ARRAYS:
        known = ", ".join((*ARRAYS, "str"))
        raise NotExportableError(f"{name} is of {dtype.name}, which JavaScript's engine doesn't know; it knows {known}")
    return found


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
        "layers": _layers(model),
        "constants": constants,
        "nodes": [_plain_node(node) for node in graph.nodes],
    }


def _layers(model: ModelGraph) -> list[tuple[str, str]]:
    """Return what the network takes, and what each layer in it returns, each with its value's name."""
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
