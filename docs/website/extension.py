"""What the site needs beyond Sphinx and MyST: navigation from ``docs/README.md``, notebooks as pages, search, and links
from chapters to the playground.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from myst_parser.sphinx_ import Parser

from website.contents import INDEX, navigation
from website.playground import CHAPTERS, with_links
from website.search_index import write_search_index

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx


class Notebook(Parser):
    """Reads a notebook as the Markdown that shows the same."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Parse the cells, in their order."""
        cells = json.loads(inputstring)["cells"]
        super().parse("\n\n".join(part for cell in cells for part in _parts(cell)), document)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add all of it to Sphinx."""
    app.add_source_parser(Notebook)
    app.connect("source-read", _add_navigation)
    app.connect("source-read", _add_links_to_playground)
    app.connect("html-page-context", _serve_keyboards_and_readers, priority=900)  # once the theme is done
    app.connect("build-finished", write_search_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    if name == app.config.root_doc:
        source[0] += "\n" + navigation((app.srcdir / INDEX).read_text("utf-8"))


def _add_links_to_playground(app: Sphinx, name: str, source: list[str]) -> None:
    if name.startswith(f"docs/{CHAPTERS}/"):
        source[0] = with_links(source[0])


def _serve_keyboards_and_readers(
    app: Sphinx, name: str, template: str, context: dict[str, Any], page: nodes.document | None
) -> None:
    """Let keys scroll what is wide, and say at which level the navigation's headings are."""
    context["body"] = context.get("body", "").replace("<pre>", '<pre tabindex="0">')
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


def _parts(cell: dict[str, Any]) -> list[str]:
    """Return a cell and what it printed as Markdown."""
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return [text]
    return [_fenced("python", text), *(_output(output) for output in cell["outputs"])]


def _output(output: dict[str, Any]) -> str:
    found = {kind: "".join(text) for kind, text in output.get("data", {}).items()}
    if "text/html" in found:
        return _fenced("{raw} html", f'<div class="output">{found["text/html"]}</div>')
    if "image/png" in found:
        alt = "What the cell above draws"
        picture = found["image/png"].replace("\n", "")
        return _fenced("{raw} html", f'<img src="data:image/png;base64,{picture}" alt="{alt}">')
    return _fenced("text", found.get("text/plain") or "".join(output.get("text", "")))


def _fenced(language: str, text: str) -> str:
    return f"````{language}\n{text.rstrip()}\n````"
