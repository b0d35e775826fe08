"""Texts for people: columns, paragraphs, small pictures."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Collection, Sequence

from mlpkit.terminal.output import on_one_line, unstyled

GAP = "  "
NARROWEST_LAST_COLUMN = 24
LONGEST_CELL = 200
NARROWEST_TABLE = 20


def columns(
    rows: Sequence[Sequence[str]], *, right: Collection[int] = (), indent: str = "", width: int | None = None
) -> list[str]:
    """Return the lines of a table; names in it that are longer than any table should be wide are shortened.

    Cells may be styled, and may hold names out of files; the columns at the positions ``right`` are aligned there. The
    last column is wrapped at a line length of ``width``; where it would become too narrow to read, it goes below the
    rest.
    """
    if not rows:
        return []
    rows = [[*(_short(on_one_line(cell)) for cell in row[:-1]), on_one_line(row[-1])] for row in rows]
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        blanks = [" " * (w - _width(cell)) for cell, w in zip(row, widths, strict=True)]
        cells = [
            blank + cell if i in right else cell + blank
            for i, (cell, blank) in enumerate(zip(row, blanks, strict=True))
        ]
        line = (indent + GAP.join(cells)).rstrip()
        lines += [line] if width is None or _width(line) <= width else _wrapped(indent, cells, width)
    return lines


def blocks(
    rows: Sequence[Sequence[str]], *, right: Collection[int] = (), indent: str = "", width: int | None = None
) -> list[str]:
    """Return the lines of a table; one that is too wide is cut into blocks, which repeat the first column.

    Cells that have no room even so are shortened. In a row with only a first cell, that cell is as long as it likes.
    The arguments are those of ``columns``; cells are not styled, and the width is that of all columns.
    """
    rows = [[_short(on_one_line(cell)) for cell in row] for row in rows]
    tabular = [row for row in rows if any(row[1:])]
    if width is not None and tabular:
        width = max(width - len(indent), NARROWEST_TABLE)
        others = [max(len(cell) for cell in column) for column in zip(*(row[1:] for row in tabular), strict=True)]
        first = max(width // 2, width - sum(len(GAP) + other for other in others))
        rest = width - min(first, max(len(row[0]) for row in tabular)) - len(GAP)
        rows = [
            [shortened(row[0], first), *(shortened(cell, rest) for cell in row[1:])] if any(row[1:]) else row
            for row in rows
        ]
    widths = [max((len(row[i]) for row in rows if any(row[1:])), default=0) for i in range(len(rows[0]))]
    lines: list[str] = []
    for chosen in _columns_together(widths, width):
        lines += [""] if lines else []
        for row in rows:
            cells = [row[i].rjust(widths[i]) if i in right else row[i].ljust(widths[i]) for i in chosen]
            lines.append((indent + (GAP.join(cells) if any(row[1:]) else row[0])).rstrip())
    return lines


def _columns_together(widths: Sequence[int], width: int | None) -> list[list[int]]:
    """Return the positions of the columns of each block; at least two columns are a block."""
    together: list[list[int]] = [[0]]
    for i in range(1, len(widths)):
        taken = sum(widths[j] + len(GAP) for j in together[-1]) + widths[i]
        if width is not None and taken > width and len(together[-1]) > 1:
            together.append([0])
        together[-1].append(i)
    return together


def shortened(text: str, longest: int) -> str:
    """Return a text without its middle if it is longer than that; the end, which tells more, has most of the room."""
    if len(text) <= longest:
        return text
    before = (longest - 1) // 3
    return f"{text[:before]}…{text[len(text) - (longest - 1 - before) :]}"


def _width(cell: str) -> int:
    return len(unstyled(cell))


def _short(cell: str) -> str:
    return cell if len(cell) <= LONGEST_CELL else cell[:LONGEST_CELL] + "..."


def _wrapped(indent: str, cells: list[str], width: int) -> list[str]:
    before = indent + GAP.join(cells[:-1])
    margin = _width(before) + len(GAP)
    if width - margin >= NARROWEST_LAST_COLUMN:
        first, *rest = paragraph(cells[-1], width=width - margin)
        return [before + GAP + first, *(" " * margin + line for line in rest)]
    return [before.rstrip(), *paragraph(cells[-1], indent=indent + GAP * 2, width=width)]


def plain(text: str) -> str:
    """Return the text of a docstring for a terminal: names in quotes, not in double backticks."""
    return re.sub(r"``(.+?)``", lambda code: code[1] if set(code[1]) & set("'\"{[") else f"'{code[1]}'", text)


def paragraph(text: str, *, indent: str = "", width: int | None = None) -> list[str]:
    """Return the lines of a text, wrapped at ``width``; None for no limit."""
    if width is None or len(indent + text) <= width:
        return [indent + text]
    return textwrap.wrap(
        text,
        max(width, len(indent) + NARROWEST_LAST_COLUMN),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def line_length() -> int | None:
    """Return the width of the terminal; None if standard output isn't one."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    import shutil  # noqa: PLC0415 - loads compression, and only a terminal needs it

    return shutil.get_terminal_size().columns


BARS = "▁▂▃▄▅▆▇█"
BARS_IN_ASCII = ".:-=+*%#"


def sparkline(counts: Sequence[int]) -> str:
    """Draw counts as bars, one character each and none for a count of 0, in ASCII if the output has no others."""
    bars, most = BARS, max(counts, default=0)
    try:
        bars.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        bars = BARS_IN_ASCII
    return "".join(bars[-(-count * len(bars) // most) - 1] if count else " " for count in counts)


def shape(lengths: tuple[int, ...]) -> str:
    """Write the shape of an example: ``28 x 28``."""
    return " x ".join(str(length) for length in lengths)
