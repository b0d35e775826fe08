"""The table of ``mlpkit data``: a line for each column of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from mlpkit.components.dataset import ROLES
from mlpkit.components.schema.wording import counted
from mlpkit.terminal.formatting import GAP, blocks, paragraph, shortened, sparkline
from mlpkit.terminal.output import on_one_line
from mlpkit.verbs.data.raw_data import ColumnSummary

TITLES: Final = {"input": "inputs", "split": "decides the split"}
"""What columns of a role are called, if not like the role."""
MOST_COLUMNS: Final = 40
"""Columns of a role that are shown unless all are asked for."""
LONGEST_NAME: Final = 32
LONGEST_RANGE: Final = 40
SHORTEST_RANGE: Final = 14
EXPENDABLE: Final = ("histogram", "distinct", "type")
"""What is left out of a table without room for the range, the first first."""
INDENT: Final = "  "


def column_table(columns: Sequence[ColumnSummary], width: int | None, *, every: bool) -> list[str]:
    """Return the lines of the table: targets, inputs, columns of other roles, and omitted columns.

    Args:
        columns: the columns.
        width: the line length; None for no limit.
        every: whether to show all columns of a wide table, and not only the first and the unusual ones.
    """
    longest_name = LONGEST_NAME if width is None else min(LONGEST_NAME, width // 3)
    roles = [(TITLES.get(role, role), [column for column in columns if column.role == role]) for role in ROLES]
    shown = [(title, members if every else _most_unusual(members), len(members)) for title, members in roles if members]
    kept, room = _kept([_cells(column, longest_name) for _, some, _ in shown for column in some], width)
    blank = [""] * len(kept)
    rows = [[*kept, "range"]]
    for title, some, count in shown:
        rows.append([title, *blank])
        for column in some:
            cells = _cells(column, longest_name)
            rows.append([*(cells[name] for name in kept), _range(column, room)])
        if len(some) < count:
            rows.append([f"{INDENT}and {count - len(some):,} more; --all shows them", *blank])
    right = [kept.index(name) for name in ("missing", "distinct") if name in kept]
    return blocks(rows, right=right, indent=INDENT, width=width)


def remarks(
    columns: Sequence[ColumnSummary], repeated: Mapping[str, int], sizes: Mapping[str, int], width: int | None
) -> list[str]:
    """Return a line for each thing that is unusual about the columns, and about rows that splits share.

    Args:
        columns: the columns.
        repeated: how many rows of a split are in the training split too.
        sizes: the number of rows of each split.
        width: the line length; None for no limit.
    """
    notes = [on_one_line(f"{column.name} {remark}") for column in columns for remark in column.remarks]
    notes += [
        f"{counted(count, 'row')} of {sizes[split]:,} in {split} {'appears' if count == 1 else 'appear'} in train too"
        for split, count in repeated.items()
    ]
    return [line for text in notes for line in paragraph(text, indent=INDENT, width=width)]


def _most_unusual(columns: Sequence[ColumnSummary]) -> list[ColumnSummary]:
    """Return at most ``MOST_COLUMNS`` columns, in their order; unusual ones and ones with missing values come first."""
    first = sorted(range(len(columns)), key=lambda i: (not columns[i].remarks, not columns[i].missing, i))
    return [columns[i] for i in sorted(first[:MOST_COLUMNS])]


def _cells(column: ColumnSummary, longest_name: int) -> dict[str, str]:
    """Return the part of a line before the range."""
    return {
        "column": f"{INDENT}{shortened(column.name, longest_name)}",
        "type": column.type,
        "missing": f"{column.missing:,}" if column.missing else "-",
        "distinct": f"{column.distinct:,}",
        "histogram": sparkline(column.histogram),
    }


def _kept(rows: Sequence[Mapping[str, str]], width: int | None) -> tuple[list[str], int]:
    """Return which cells of a line have room, and how much is left for the range."""
    kept = list(rows[0]) if rows else ["column"]
    if width is None:
        return kept, LONGEST_RANGE
    taken = {name: len(GAP) + max(len(name), *(len(row[name]) for row in rows)) for name in kept}
    for name in EXPENDABLE:
        if width - len(INDENT) - sum(taken[name] for name in kept) < SHORTEST_RANGE:
            kept.remove(name)
    return kept, max(width - len(INDENT) - sum(taken[name] for name in kept), SHORTEST_RANGE)


def _range(column: ColumnSummary, room: int) -> str:
    """Write the least and the greatest number, or the most common texts, as many as have room."""
    if column.least is not None and column.greatest is not None:
        ends = dict.fromkeys(f"{end:.7g}" for end in (column.least, column.greatest))
        return " to ".join(ends)
    written = ""
    for text, count in column.common:
        number = f" {count:,}" if column.common[0][1] > 1 else ""
        part = shortened(text, max(room // 2, room - len(number)) if not written else room) + number
        longer = f"{written}, {part}" if written else part
        if len(longer) > min(room, LONGEST_RANGE):
            return written or part
        written = longer
    return written
