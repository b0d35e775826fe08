"""A model as a page that works from disk, without network."""

from __future__ import annotations

import re
import zlib
from base64 import b64encode
from collections import Counter
from math import isclose
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit import Exporter, ExportError, html_document
from mlpkit.graph import provenance_line
from mlpkit_plugins.exporters.js_engines import compute_module
from mlpkit_plugins.exporters.js_module import js_literal, model_constants, module_text, source

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from mlpkit import Array
    from mlpkit.graph import Feed, ModelGraph

STEPS: Final = (86_400, 60, 1)
"""Seconds between the dates that a control may hold: days, minutes or seconds."""


class HtmlFile(Exporter):
    """A page with a form or a canvas, which works from disk.

    It shows what is predicted and what each layer computes, with the engine of the exporter js, and is proved as
    that is.

    Source: the HTML Living Standard.
    """

    ending = ".html"
    shows_values = True

    def write(self, model: ModelGraph, file: Path) -> None:
        """Write a model as a page with a form or a canvas, what is predicted, and what the layers compute."""
        constants = model_constants(model)
        content = f'await inflated("{_deflated(constants.content)}")'
        module = module_text(model, constants, content)
        fields = f"/** @type {{Record<string, Field>}} */\nconst FIELDS = {js_literal(_fields(model))};\n"
        page = html_document(
            title=str(model.provenance.get("name", "Model")),
            style=source("page.css"),
            body=f"<!-- {provenance_line(model.provenance)} -->\n{source('body.html')}",
            scripts=f'<script type="module">\n{module}{fields}{source("page.js")}</script>',
        )
        file.write_text(page, "utf-8", newline="\n")

    def compute(
        self, file: Path, model: ModelGraph, feeds: Mapping[str, Array], names: Collection[str]
    ) -> dict[str, Array]:
        """Return what the script of the page computes."""
        script = re.search(r'<script type="module">\n(.*)</script>', file.read_text("utf-8"), re.DOTALL)
        if script is None:
            raise ExportError(f"{file.name} has no script")
        return compute_module(script[1], file.name, model, feeds, names)


def _fields(model: ModelGraph) -> dict[str, dict[str, Any]]:
    """Return what the form of a table needs beyond its inputs: values to begin with, and steps of dates."""
    rows = model.examples or {}
    return {name: _field(feed, rows.get(name, np.zeros(0))) for name, feed in model.graph.feeds.items()}


def _field(feed: Feed, rows: Array) -> dict[str, Any]:
    """Return what a control of a form needs to know.

    Args:
        feed: the input.
        rows: its values in rows of the run's data, if there are any.
    """
    if feed.dtype == "str":
        common = Counter(rows[rows != ""].tolist()).most_common(1)
        return {"start": common[0][0] if common and feed.choices else ""}
    if feed.kind == "pixels":
        return {"start": None}
    known = rows if rows.size else np.array(feed.extent or ())
    start = _middle(known).tolist()
    if feed.kind == "date":
        known = np.append(known, feed.extent or ())
        days = known[np.isfinite(known)]
        step = next((step for step in STEPS if days.size and not (days % step).any()), STEPS[-1])
        return {"start": start, "step": step}
    return {"start": start, "isTruth": _is_truth(feed)}


def _middle(rows: Array) -> Array:
    """Return the value in the middle of each column, one that occurs; None if all are missing."""
    ordered = np.sort(np.where(np.isfinite(rows), rows, np.nan), axis=0)  # which puts missing values last
    present = np.isfinite(ordered).sum(axis=0)
    middle = np.take_along_axis(ordered, np.maximum(present - 1, 0)[None] // 2, axis=0)[0] if len(rows) else np.nan
    return np.where(present > 0, middle, np.array(None))


def _is_truth(feed: Feed) -> bool:
    """Return whether 0 and 1 are all that a column had in training: then, and only then, its variance is p (1 - p)."""
    if feed.extent != (0.0, 1.0) or feed.typical is None:
        return False
    mean, std = feed.typical
    return isclose(std**2, mean * (1 - mean), rel_tol=1e-9)


def _deflated(content: bytes) -> str:
    """Return numbers compressed, first their first bytes, then their second ones, ..., since these are alike.

    Weights hardly ever repeat, so a search for repetitions only makes the result longer.
    """
    padded = np.frombuffer(content + bytes(-len(content) % 4), np.uint8)
    compress = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)
    return b64encode(compress.compress(padded.reshape(-1, 4).T.tobytes()) + compress.flush()).decode()
