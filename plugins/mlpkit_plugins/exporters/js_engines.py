"""Runs exported JavaScript in Node or in a headless browser."""

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
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from mlpkit import Array, EngineMissingError, ExportError
from mlpkit.graph import ModelGraph
from mlpkit_plugins.exporters.js_module import js_literal, packed, source

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
