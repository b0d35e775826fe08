"""A model as a page that works from disk, without network."""

from __future__ import annotations

import re
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.errors import ExportError
from mlpkit.exports.js_engines import compute_module
from mlpkit.exports.js_file import model_constants, module_text, source
from mlpkit.exports.provenance import provenance_line
from mlpkit.pages.page import document

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mlpkit.exports.model_graph import ModelGraph


def write_html(model: ModelGraph, file: Path) -> None:
    """Write a model as a page with a form or a canvas, what is predicted, and what the layers compute.

    It takes what ``write_js`` does, and raises the same errors.
    """
    constants = model_constants(model)
    content = f'await inflated("{_deflated(constants.content)}")'
    page = document(
        title=str(model.provenance.get("name", "Model")),
        style=source("page.css"),
        body=f"<!-- {provenance_line(model.provenance)} -->\n{source('body.html')}",
        scripts=f'<script type="module">\n{module_text(model, constants, content)}{source("page.js")}</script>',
    )
    file.write_text(page, "utf-8", newline="\n")


def compute_html(
    file: Path, model: ModelGraph, feeds: Mapping[str, NDArray[Any]], names: Collection[str]
) -> dict[str, NDArray[Any]]:
    """Return what the script of an exported page computes for rows.

    Args:
        file: the page.
        model: what was written to it.
        feeds: arrays for the raw inputs, or for any values of the graph that all that is wanted depends on.
        names: the outputs that are wanted, or values of the graph.

    Raises:
        EngineMissingError: there is neither Node nor a browser.
        ExportError: the page has no script, or it doesn't run.
    """
    script = re.search(r'<script type="module">\n(.*)</script>', file.read_text("utf-8"), re.DOTALL)
    if script is None:
        raise ExportError(f"{file.name} has no script")
    return compute_module(script[1], file.name, model, feeds, names)


def _deflated(content: bytes) -> str:
    """Return numbers compressed, first their first bytes, then their second ones, ..., since these are alike.

    Weights hardly ever repeat, so a search for repetitions only makes the result longer.
    """
    padded = np.frombuffer(content + bytes(-len(content) % 4), np.uint8)
    compress = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)
    return b64encode(compress.compress(padded.reshape(-1, 4).T.tobytes()) + compress.flush()).decode()
