"""The documentation: the site's address, or the pages that mlpkit ships in Markdown, made ready for a browser."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from importlib.metadata import metadata
from itertools import pairwise
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

import mlpkit
from mlpkit.components.schema.context import show
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import UsageError
from mlpkit.pages.cache import cache_folder
from mlpkit.pages.page import html_document, source
from mlpkit.runs.files import storage_error

SHIPPED: Final = Path(mlpkit.__file__).parent / "shipped_docs"
INDEX: Final = "README"
"""The page that lists the others."""


def documentation(page: str = INDEX, *, shipped: bool = False) -> str:
    """Return the address of a page of the documentation of this version, by default of the index.

    If the package's metadata has no address called ``Documentation``, or a page must need no network, mlpkit builds the
    pages that it ships, in the folder that ``MLPKIT_CACHE`` names, or the user's cache folder.

    Raises:
        UsageError: no such page.
        StorageError: the pages can't be written.
    """
    paths = {path.stem: path for path in shipped_pages()}
    if page not in paths:
        remedy = did_you_mean(page, paths) or f"pages: {', '.join(sorted(paths))}"
        raise UsageError(f"no page is called {show(page)}; {remedy}")
    addresses = dict(line.split(", ", 1) for line in metadata("mlpkit").get_all("Project-URL") or [])
    if shipped or "Documentation" not in addresses:
        return (_made_pages() / paths[page].with_suffix(".html")).as_uri()
    site = addresses["Documentation"].rstrip("/")
    return f"{site}/{mlpkit.__version__}/docs/{paths[page].with_suffix('.html').as_posix()}"


def shipped_pages() -> list[Path]:
    """Return the paths of the pages that mlpkit ships, from their folder."""
    return sorted(path.relative_to(SHIPPED) for path in SHIPPED.rglob("*.md"))


def _made_pages() -> Path:
    """Write all pages as HTML, and return their folder."""
    folder = cache_folder() / f"docs-{mlpkit.__version__}"
    for path in shipped_pages():
        page = folder / path.with_suffix(".html")
        try:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(_made_page(path), encoding="utf-8")
        except OSError as error:
            raise storage_error(page, error) from error
    return folder


def _made_page(path: Path) -> str:
    title, body = prose((SHIPPED / path).read_text("utf-8"), lambda target: _address(target, path))
    index = posixpath.relpath(f"{INDEX}.html", path.parent)
    home = "" if path.stem == INDEX else f'<p><a href="{index}">All pages of mlpkit {mlpkit.__version__}</a></p>\n'
    return html_document(title, source("prose.css"), home + body, "")


def _address(target: str, page: Path) -> str | None:
    """Return the address of what a page links to or shows, or None if it is neither a page nor a picture."""
    if target.startswith("#") or "://" in target:
        return target
    path, hash_sign, anchor = target.partition("#")
    file = posixpath.normpath(posixpath.join(page.parent.as_posix(), path))
    if Path(file) in shipped_pages():
        return path.removesuffix(".md") + f".html{hash_sign}{anchor}"
    return (SHIPPED / file).as_uri() if file.startswith("pictures/") else None


def prose(text: str, address_of: Callable[[str], str | None]) -> tuple[str, str]:
    """Return the title of a Markdown page, which starts with it, and the rest as HTML; HTML in it is left out.

    ``address_of`` returns the address for the target of a link or picture; where it is None, the text alone is shown.
    """
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    _name_headings(tokens)
    for token in tokens:
        for each in (token, *(token.children or ())):
            _resolve(each, address_of)
    rendered = markdown.renderer.render(tokens[3:], markdown.options, {})
    for opening, scrollable in (("<pre>", '<pre tabindex="0">'), ("<table>", '<div class="wide" tabindex="0"><table>')):
        rendered = rendered.replace(opening, scrollable)
    return tokens[1].content, rendered.replace("</table>", "</table></div>")


def _name_headings(tokens: Sequence[Token]) -> None:
    """Give each heading its anchor."""
    for token, title in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", re.sub(r"[^\w\- ]", "", title.content.lower()).replace(" ", "-"))


def _resolve(token: Token, address_of: Callable[[str], str | None]) -> None:
    """Put the address into a link or a picture, and leave out HTML."""
    if token.type in ("html_block", "html_inline"):
        token.content = ""
    if token.type not in ("link_open", "image"):
        return
    name = "href" if token.type == "link_open" else "src"
    address = address_of(str(token.attrs.pop(name)))
    if address is not None:
        token.attrSet(name, address)
