"""The order of the site's pages: that of the lists in ``docs/README.md``."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

HOME: Final = "README.md"
"""The first page."""
INDEX: Final = "docs/README.md"
"""The page with the lists: a heading is a part of the site's navigation, the text of a link a page's short title."""
SUMMARY: Final = "Train multilayer networks from a declarative spec, every layer a plugin."
SECTION: Final = re.compile(r"^## (?P<title>.+)\n(?P<lists>(?:(?!## ).*\n)*)", re.M)
LINK: Final = re.compile(r"\[(?P<title>[^\]]+)\]\((?P<path>[^)#:]+\.(?:md|ipynb))\)")


def sections(index: str) -> dict[str, dict[str, str]]:
    """Return the parts of the navigation: short titles, and for each the page's path from the repository's root.

    Args:
        index: the text of ``docs/README.md``.
    """
    return {
        section["title"]: {
            _short_title(link["title"]): posixpath.normpath(posixpath.join("docs", link["path"]))
            for link in LINK.finditer(section["lists"])
        }
        for section in SECTION.finditer(index)
    }


def pages(root: Path) -> list[str]:
    """Return the paths of all pages that the lists name."""
    parts = sections((root / INDEX).read_text("utf-8"))
    return [path for part in parts.values() for path in part.values()]


def navigation(index: str) -> str:
    """Return the parts as the directives of Sphinx that make the navigation."""
    parts = [_tree([":hidden:"], {"All pages": INDEX})]
    parts += [_tree([":hidden:", f":caption: {title}"], part) for title, part in sections(index).items()]
    return "\n".join(parts)


def list_for_models(index: str) -> str:
    """Return all pages with a line each, as language models read it from ``llms.txt``.

    Args:
        index: the text of ``docs/README.md``.

    Source: https://llmstxt.org.
    """
    lines = ["# mlpkit", "", f"> {SUMMARY}"]
    for section in SECTION.finditer(index):
        lines += ["", f"## {section['title']}", ""]
        for entry in re.split(r"^- ", section["lists"], flags=re.M)[1:]:
            text = " ".join(entry.partition("\n\n")[0].split())
            links = list(LINK.finditer(text))
            about = f": {text.partition('): ')[2]}" if len(links) == 1 else ""
            for link in links:
                page = posixpath.normpath(posixpath.join("docs", link["path"])).rpartition(".")[0]
                lines.append(f"- [{_short_title(link['title'])}]({page}.html){about}")
    return "\n".join([*lines, ""])


def _short_title(link: str) -> str:
    words = " ".join(link.split())
    return words[0].upper() + words[1:]


def _tree(options: list[str], part: dict[str, str]) -> str:
    entries = [f"{title} </{path.rpartition('.')[0]}>" for title, path in part.items()]
    return "\n".join(["```{toctree}", *options, ":titlesonly:", "", *entries, "```", ""])
