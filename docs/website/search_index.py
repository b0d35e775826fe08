"""The texts that the site's search looks through: those of all sections."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from docutils import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

FILE: Final = "search-index.js"


def write_search_index(app: Sphinx, exception: Exception | None) -> None:
    """Write a script with page, heading, address and text of each section."""
    if exception is None:
        sections = [section for page in sorted(app.env.found_docs) for section in _sections(app, page)]
        (app.outdir / FILE).write_text(f"const SECTIONS = {json.dumps(sections)};\n", encoding="utf-8")


def _sections(app: Sphinx, page: str) -> Iterator[tuple[str, str, str, str]]:
    title = app.env.titles[page].astext()
    for section in app.env.get_doctree(page).findall(nodes.section):
        address = f"{page}.html#{section['ids'][0]}"
        parts = [child for child in section.children if not isinstance(child, nodes.section | nodes.title)]
        yield title, section[0].astext(), address, " ".join(" ".join(_texts(part)) for part in parts)


def _texts(part: nodes.Node) -> Iterator[str]:
    """Go through the words of a part of a page; comments and raw HTML have none."""
    for text in part.findall(nodes.Text):
        if not isinstance(text.parent, nodes.comment | nodes.raw):
            yield " ".join(text.split())
