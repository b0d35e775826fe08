"""Markdown as HTML, with anchors as GitHub gives them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token


def prose(text: str, address_of: Callable[[str], str | None]) -> tuple[str, str]:
    """Return the title of a Markdown page, which starts with it, and the rest as HTML; HTML in it is left out.

    ``address_of`` returns the address for the target of a link or picture; where it is None, the text alone is shown.
    """
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    _name_headings(tokens)
    for token in _all(tokens):
        _resolve(token, address_of)
    rendered = markdown.renderer.render(tokens[3:], markdown.options, {})
    for opening, scrollable in (("<pre>", '<pre tabindex="0">'), ("<table>", '<div class="wide" tabindex="0"><table>')):
        rendered = rendered.replace(opening, scrollable)
    return tokens[1].content, rendered.replace("</table>", "</table></div>")


def _name_headings(tokens: Sequence[Token]) -> None:
    """Give each heading its anchor."""
    for token, title in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", re.sub(r"[^\w\- ]", "", title.content.lower()).replace(" ", "-"))


def _all(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


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
