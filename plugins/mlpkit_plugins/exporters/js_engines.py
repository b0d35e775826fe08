"""A model and its engine in JavaScript: the text of an ES module, and its computation in Node or a headless browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from html import unescape
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import numpy as np

from mlpkit import Array, Classes, EngineMissingError, ExportError, NotExportableError
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


NODE: Final = ("node", "nodejs")
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")

ROWS_TOGETHER: Final = 1000
LONGEST: Final = 600
"""The most seconds for a block of rows."""

DTYPES: Final = {"str": "object"}


def compute_module(
    module: str, name: str, model: ModelGraph, feeds: Mapping[str, Array], names: Collection[str]
) -> dict[str, Array]:
    """Compute rows with the text of a module, which contains the engine and ``model``, in blocks."""
    outputs = model.graph.outputs
    wanted = [outputs[each].name if each in outputs else each for each in names]
    program = f"{module}\n{source('report.js')}"
    rows = len(next(iter(feeds.values())))
    parts = []
    for begin in range(0, rows, ROWS_TOGETHER):
        part = packed({each: array[begin : begin + ROWS_TOGETHER] for each, array in feeds.items()})
        arrays = f'unpacked({js_literal(part.arrays)}, fromBase64("{b64encode(part.content).decode()}"))'
        parts.append(_computed(f"{program}\nreport(model.compute({arrays}, {js_literal(wanted)}));\n", name))
    return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True))


def _computed(program: str, name: str) -> list[Array]:
    printed = _run(program, name)
    try:
        arrays = json.loads(printed)
    except ValueError:
        raise ExportError(f"{name} doesn't run: it prints {printed[:200]!r}") from None
    return [
        np.array(each["elements"], DTYPES.get(each["dtype"], each["dtype"])).reshape(each["shape"]) for each in arrays
    ]


def _run(program: str, name: str) -> str:
    """Return the output of a module, in Node or else a browser, or raise ``EngineMissingError`` or ``ExportError``."""
    node, browser = find_program(NODE), find_program(BROWSERS)
    with TemporaryDirectory(prefix="mlpkit-") as folder:
        if node is not None:
            file = Path(folder) / "program.mjs"
            file.write_text(program, "utf-8")
            return _output_of([node, str(file)], name)
        if browser is not None:
            return _run_in_browser(browser, program, Path(folder), name)
    raise EngineMissingError("there is no JavaScript engine; install Node or Chromium")


def find_program(names: Sequence[str]) -> str | None:
    """Return the first program of some names, on the path or next to Python, where packages install programs."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    return next(filter(None, (shutil.which(name, path=places) for name in names)), None)


def _run_in_browser(browser: str, program: str, folder: Path, name: str) -> str:
    page = folder / "program.html"
    page.write_text(f'<!doctype html><body><script type="module">{program}</script>', "utf-8")
    options = ["--headless", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=1000000"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium has no sandbox for root
    dom = _output_of([browser, *options, "--dump-dom", page.as_uri()], name)
    body = re.search(r"<body>(.*?)</body>", dom, re.DOTALL)
    return unescape(body[1]) if body else ""


def _output_of(command: list[str], name: str) -> str:
    try:
        process = subprocess.run(command, capture_output=True, timeout=LONGEST, encoding="utf-8", check=True)
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if "Error" in line] or error.stderr.splitlines()[-1:]
        raise ExportError(f"{name} doesn't run: {' '.join(lines[:1])}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineMissingError(f"{command[0]} doesn't run: {error}") from error
    return process.stdout
