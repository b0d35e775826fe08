"""What a card is made of, and how it is written as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mlpkit.errors import printable
from mlpkit.terminal.figures import figure

MOST_SHOWN: Final = 60
"""Rows of a table, and names in a list, that card.md has; card.json has all."""


class Code(str):
    """A text that is shown as code."""

    __slots__ = ()


class Part(NamedTuple):
    """Markdown, or the rows of a table: the cells by the column's heading.

    Args:
        source: the file of the run folder that its facts are from, or what else; empty if each row has its own.
        rows: they have the same columns.
        text: the Markdown, if there are no rows.
    """

    source: str
    rows: Sequence[Mapping[str, Any]] = ()
    text: str = ""

    def __str__(self) -> str:
        """Return it as Markdown; a table tells its source."""
        if not self.rows:
            return self.text
        right = ["---" if isinstance(value, str | list) else "---:" for value in self.rows[0].values()]
        cells = [map(cell, row.values()) for row in self.rows[:MOST_SHOWN]]
        table = [f"| {' | '.join(line)} |" for line in (map(text, self.rows[0]), right, *cells)]
        more = f"; {len(self.rows) - MOST_SHOWN:,} more rows are in card.json" if len(self.rows) > MOST_SHOWN else ""
        return "\n".join([*table, *(["", f"From {text(self.source)}{more}."] if self.source else [])])


def text(value: object) -> str:
    """Return a text so that Markdown shows it as it is, on one line."""
    return re.sub(r"(?<!\w)_|_(?!\w)|[\\`*\[\]<>|~#&$]", r"\\\g<0>", printable(str(value)))


def names(values: Sequence[object]) -> str:
    """Return names in a list, the first of many."""
    more = len(values) - MOST_SHOWN
    return ", ".join(map(text, values[:MOST_SHOWN])) + (f" and {more:,} more" if more > 0 else "")


def cell(value: Any) -> str:
    """Return a result with its interval, names, code, a number or a text for a table."""
    match value:
        case {"value": middle, "low": None}:
            return figure(middle)
        case {"value": middle, "low": low, "high": high}:
            return rf"{figure(middle)} \[{figure(low)}, {figure(high)}\]"
        case list():
            return names(value)
        case Code():
            ticks = "`" * (1 + max(map(len, re.findall("`+", value)), default=0))
            space = " " if len(ticks) > 1 else ""
            return f"{ticks}{space}{printable(value).replace('|', chr(92) + '|')}{space}{ticks}"
        case float() | int():
            return figure(value) if isinstance(value, float) else f"{value:,}"
    return text(value)


def markdown(front_matter: str, title: str, sections: Mapping[str, Iterable[Part]]) -> str:
    """Return a card; sections without parts are left out."""
    parts = [f"---\n{front_matter}---", f"# {text(title)}"]
    for heading, inside in sections.items():
        written = [found for found in map(str, inside) if found]
        parts += [*([f"## {heading}"] if heading and written else []), *written]
    return "\n\n".join(parts) + "\n"
