"""The tables in a piece of HTML."""

from __future__ import annotations

from html.parser import HTMLParser


def rows_of(html: str) -> list[list[str]]:
    """Return the cells of each row, of all tables one after the other, without what surrounds them."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [], "each tag must be closed"
    return reader.rows


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th"}:
            self.rows[-1][-1] += data
