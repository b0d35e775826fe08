"""Links of HTML files, and whether they lead somewhere."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

if TYPE_CHECKING:
    from pathlib import Path

LOADED = {("link", "href"), ("script", "src"), ("img", "src"), ("source", "src"), ("iframe", "src"), ("object", "data")}
"""What a browser asks for by itself."""


class Links(HTMLParser):
    """What a page links to, what it loads, and the anchors that it has."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            if tag == "a" and name == "href":
                self.targets.append(value)
            if (tag, name) in LOADED:
                self.loaded.append(value)


def crawl(first: Path) -> tuple[dict[Path, Links], list[str]]:
    """Return the pages that can be reached from one, and each link that leads nowhere with its page."""
    pages: dict[Path, Links] = {}
    waiting, found = [first.resolve()], []
    while waiting:
        file = waiting.pop()
        if file in pages:
            continue
        pages[file] = Links(file)
        for link in pages[file].targets + pages[file].loaded:
            found += [(file, link)]
            target = _file_of(file, link)
            if target and target.suffix == ".html" and target.is_file():
                waiting.append(target)
    return pages, [f"{file}: {link}" for file, link in found if _is_broken(file, link, pages)]


def is_elsewhere(link: str) -> bool:
    """Whether a link leads out of the machine."""
    return "://" in link and not link.startswith("file:")


def _file_of(page: Path, link: str) -> Path | None:
    """Return the file that a link leads to; None if it is within the page, or on another machine."""
    path = unquote(urldefrag(link)[0]).partition("?")[0].removeprefix("file://")
    return None if is_elsewhere(link) or not path or link.startswith("data:") else (page.parent / path).resolve()


def _is_broken(page: Path, link: str, pages: dict[Path, Links]) -> bool:
    if is_elsewhere(link) or link.startswith("data:"):
        return False
    target = _file_of(page, link) or page
    anchor = unquote(urldefrag(link)[1])
    if not target.is_file():
        return True
    return bool(anchor) and target in pages and anchor not in pages[target].anchors
