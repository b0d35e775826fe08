"""A page as one file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from mlpkit.pages.charts import chart_library


def page(title: str, parts: Sequence[str], script: str = "") -> str:
    """Return a page that works from disk, without a network; without scripts, its charts are pictures.

    The parts are HTML: see ``mlpkit.pages.parts``. The script runs at the end, as a part of the page's own module.

    Raises:
        UsageError: a part is a chart, and what draws it is not installed.
    """
    body = "\n".join(parts)
    library = [f"<script>{chart_library()}</script>"] if 'class="chart"' in body else []
    own = f'<script type="module">\n{source("page.js")}{script}</script>'
    return html_document(title, source("page.css"), body, "\n".join([*library, own]))


def html_document(title: str, style: str, body: str, scripts: str) -> str:
    """Return an HTML document in the style of all pages.

    Args:
        title: the heading.
        style: CSS rules for this page, added after the common ones.
        body: the content below the heading, as HTML.
        scripts: ``script`` elements, placed at the end.
    """
    return Template(source("page.html")).substitute(
        title=escape(title), style=source("base.css") + style, body=body, scripts=scripts
    )


@cache
def source(name: str) -> str:
    """Return the text of a file that pages are made from."""
    return (files("mlpkit.pages") / name).read_text("utf-8")
