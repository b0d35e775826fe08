"""The page that documents the models, and tries them."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from typing import Any, Final

from mlpkit.network.arguments import shape_of_rows
from mlpkit.pages import parts
from mlpkit.pages.page import html_document, source
from mlpkit.verbs.serve.models import Loaded, Models
from mlpkit.verbs.serve.openapi import openapi, row_example, rows_in_words

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LONGEST_EXAMPLE: Final = 2000


def page(models: Models, server: str) -> str:
    """Return the page; ``server`` is its address."""
    several = len(models.versions) > 1
    sections = [_model(server, name, models.find(name).loaded, [*of], several) for name, of in models.versions.items()]
    rows = [
        [f"{method.upper()} {path}", operation["summary"]]
        for path, operations in openapi(models)["paths"].items()
        for method, operation in operations.items()
    ]
    sections.append(parts.section("Addresses", parts.table(("address", "answer"), rows, texts=(0, 1))))
    script = (files("mlpkit.verbs.serve") / "page.js").read_text("utf-8")
    return html_document("mlpkit serve", source("page.css"), "\n".join(sections), f"<script>\n{script}</script>")


def _model(server: str, name: str, loaded: Loaded, versions: list[str], several: bool) -> str:
    address = f"/models/{name}/predict" if several else "/predict"
    example = json.dumps([row_example(loaded)])
    shown = example if len(example) <= LONGEST_EXAMPLE else "[...]"
    described = [
        parts.paragraph(f"{_what(loaded)} Versions: {', '.join(versions)}."),
        *([] if loaded.columns is None else [_columns(name, loaded)]),
        parts.preformatted(f"curl -H 'Content-Type: application/json' -d '{shown}' {server}{address}"),
        _form(name, address, example),
    ]
    return parts.section(name, *described)


def _what(loaded: Loaded) -> str:
    arrays = f"arrays, shape {shape_of_rows(loaded.model.network.input_shape)}"
    takes = arrays if loaded.columns is None else "rows with these columns"
    return f"Takes {takes}; predicts {loaded.model.target}. Rows are {rows_in_words(loaded)}."


def _columns(name: str, loaded: Loaded) -> str:
    cells = [
        [column.name, column.expected, ", ".join(str(each) for each in column.categories if isinstance(each, str))]
        for column in loaded.columns or ()
    ]
    return parts.table(("column", "takes", "one of"), cells, caption=f"Columns of {name}", texts=(0, 1, 2))


def _form(name: str, address: str, example: str) -> str:
    """Return what sends rows to a model, and shows the answer."""
    label: dict[str, Any] = {"rows": f"Rows for {name}", "button": f"Predict with {name}"}
    return (
        f'<div class="try" data-address="{escape(address)}">'
        f'<label>{escape(label["rows"])}<textarea rows="6" spellcheck="false">{escape(example)}</textarea></label>'
        f'<p><label><input type="checkbox"> explain</label> '
        f'<button type="button">{escape(label["button"])}</button></p>'
        '<pre tabindex="0" role="status" aria-label="answer"></pre></div>'
    )
