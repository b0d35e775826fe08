"""A model as a page that works from disk, without a network."""

from __future__ import annotations

import re
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Collection, Mapping
from math import isclose
from pathlib import Path
from typing import Any, Final

import numpy as np

from mlpkit import Array, Exporter, ExportError, html_document
from mlpkit.graph import Feed, ModelGraph, provenance_line
from mlpkit_plugins.exporters.js_engines import compute_module, js_literal, model_constants, module_text, source

STEPS: Final = (86_400, 60, 1)
"""The possible steps of a date control in seconds: days, minutes or seconds."""


class HtmlFile(Exporter):
    """A page with a form or a canvas, which works from disk.

    It shows the prediction and the outputs of each layer, computed with the engine of the exporter js, and is proved
    the same way.

    Source: the HTML Living Standard.
    """

    ending = ".html"
    shows_values = True

    def write(self, model: ModelGraph, file: Path) -> None:
        """Write a model as a page with a form or a canvas, the prediction, and the outputs of the layers."""
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
        """Compute with the script of the page."""
        script = re.search(r'<script type="module">\n(.*)</script>', file.read_text("utf-8"), re.DOTALL)
        if script is None:
            raise ExportError(f"{file.name} has no script")
        return compute_module(script[1], file.name, model, feeds, names)


def _fields(model: ModelGraph) -> dict[str, dict[str, Any]]:
    """Return the form's data that isn't in the graph's inputs: initial values, and steps of dates."""
    rows = model.examples or {}
    return {name: _field(feed, rows.get(name, np.zeros(0))) for name, feed in model.graph.feeds.items()}


def _field(feed: Feed, rows: Array) -> dict[str, Any]:
    """Return the data of a control in the form for an input, of which some rows may be known."""
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
    """Return the lower median of each column; None if all values are missing."""
    ordered = np.sort(np.where(np.isfinite(rows), rows, np.nan), axis=0)  # missing values come last
    present = np.isfinite(ordered).sum(axis=0)
    middle = np.take_along_axis(ordered, np.maximum(present - 1, 0)[None] // 2, axis=0)[0] if len(rows) else np.nan
    return np.where(present > 0, middle, np.array(None))


def _is_truth(feed: Feed) -> bool:
    """Whether a column held only 0 and 1 in training, which is equivalent to a variance of p (1 - p)."""
    if feed.extent != (0.0, 1.0) or feed.typical is None:
        return False
    mean, std = feed.typical
    return isclose(std**2, mean * (1 - mean), rel_tol=1e-9)


def _deflated(content: bytes) -> str:
    """Compress numbers grouped by byte position, since bytes at the same position are similar.

    Weights hardly ever repeat, so a search for repetitions would only make the result longer.
    """
    padded = np.frombuffer(content + bytes(-len(content) % 4), np.uint8)
    compress = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)
    return b64encode(compress.compress(padded.reshape(-1, 4).T.tobytes()) + compress.flush()).decode()
