"""A comparison of runs as a table for a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mlpkit.components.schema.wording import counted
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.statistics import Interval
from mlpkit.terminal.figures import figure, plus_minus
from mlpkit.terminal.formatting import GAP, LONGEST_CELL, blocks, columns, paragraph, shortened
from mlpkit.verbs.runs.compare import Comparison

CHECKSUM: Final = re.compile("[0-9a-f]{40,}")
DIGITS_SHOWN: Final = 10
ABSENT: Final = "-"
SPLIT: Final = re.compile("^(test|validation|train)[._]")
"""What stands before the name of a loss or metric."""
NARROWEST_KEY: Final = 30
NARROWEST_RUN: Final = 12
NARROWEST_MEAN: Final = 15
"""Characters of a key, and of a cell beside it, which may be a mean with its interval."""


def lines_of(found: Comparison, width: int | None) -> list[str]:
    """Return the lines that ``mlpkit compare`` prints."""
    return [*blocks(_table(found, width), width=width), "", *_about_chance(found, width)]


def _table(found: Comparison, width: int | None) -> list[list[str]]:
    blank = [""] * len(found.runs)
    apart = "" if found.part_at is None else f" (different from iteration {found.part_at} on)"
    beside, longest = _room(found, width)
    rows = [["", *(shortened(run, longest) for run in found.runs)]]
    if found.grouped:
        counts = [(len(runs), finished) for runs, finished in zip(found.members, found.finished_members, strict=True)]
        rows.append(["", *(counted(n, "run") + ("" if n == done else f", {done} finished") for n, done in counts)])
    cells = tuple(f"{name}." for name in found.tables)
    metrics = {key: values for key, values in found.metrics.items() if not key.startswith(cells)}
    for title, values, shown in (
        ("spec", found.spec, to_inline_yaml),
        ("versions", found.versions, _short),
        (f"curves, last values{apart}", found.curves, _figure),
        ("metrics", metrics, _figure),
        ("results, SHA-256", found.results, _short),
    ):
        if found.grouped and title.startswith("results"):
            continue
        same = "the same" if found.finished or title != "metrics" else "no run is finished"
        rows.append([title if values else f"{title}: {same}", *blank])
        lone = [key for key in values if shown is _figure and sum(value is not None for value in values[key]) == 1]
        rows += [
            [f"  {key}", *(shortened(ABSENT if value is None else shown(value), longest) for value in each)]
            for key, each in values.items()
            if key not in lone
        ]
        common = {SPLIT.sub("", key) for key in values if key not in lone}
        names = dict.fromkeys(key if (name := SPLIT.sub("", key)) in common else name for key in lone)
        rows += [[f"  only one run has {', '.join(names)}", *blank]] if lone else []
    for title, groups in rows_by_group(found).items():
        rows += [[title, *blank], *([f"  {key}", *cells] for key, *cells in groups)]
    rows += [[f"  tables, which --json prints: {', '.join(found.tables)}", *blank]] if found.tables else []
    if width is None:
        return rows
    widest = max(len(cell) for row in rows for cell in row[1:])
    room = max(width - beside * (len(GAP) + widest), NARROWEST_KEY)
    return [[shortened(row[0], room), *row[1:]] if any(row[1:]) else row for row in rows]


def rows_by_group(found: Comparison) -> dict[str, list[list[str]]]:
    """Return a title for each column whose groups were asked for, with a row for each loss and metric of a group."""
    tables = {}
    for column in found.by[0]["columns"] if found.by else ():
        splits = dict.fromkeys(side["split"] for side in found.by)
        sides = [_estimates([("all rows", side["whole"]), *side["columns"][column].items()]) for side in found.by]
        keys = dict.fromkeys(key for side in sides for key in side)
        title = f"by {column}, rows of {' and '.join(splits)}"
        tables[title] = [[key, *(side.get(key, ABSENT) for side in sides)] for key in keys]
    return tables


def _estimates(groups: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    return {
        f"{name}: {metric}": plus_minus(Interval(group["rows"], each["value"], None, each["low"], each["high"]))
        for name, group in groups
        for metric, each in group["metrics"].items()
    }


def _room(found: Comparison, width: int | None) -> tuple[int, int]:
    """Return how many runs fit side by side, and how long a cell of theirs may be."""
    if width is None:
        return len(found.runs), LONGEST_CELL
    narrowest = NARROWEST_MEAN if found.grouped or found.by else NARROWEST_RUN
    beside = min(len(found.runs), max(1, (width - NARROWEST_KEY) // (narrowest + len(GAP))))
    return beside, max((width - NARROWEST_KEY) // beside - len(GAP), narrowest)


def _short(value: Any) -> str:
    """Write a version, of a checksum in it the first digits."""
    return CHECKSUM.sub(lambda found: found[0][:DIGITS_SHOWN], str(value))


def _figure(value: Any) -> str:
    if isinstance(value, Interval):
        return figure(value.mean) if value.low == value.high else plus_minus(value)
    return figure(value) if isinstance(value, float) else str(value)


def _about_chance(found: Comparison, width: int | None) -> list[str]:
    """Return lines on whether the differences exceed chance, or what it takes to find out."""
    lines = [line for other in found.runs[1:] for line in _verdicts(found, other, width)]
    for remark in found.remarks:
        lines += [*paragraph(remark, width=width), ""]
    return lines


def _verdicts(found: Comparison, other: str, width: int | None) -> list[str]:
    """Return lines about what differs between a side and the first."""
    verdicts = [verdict for verdict in found.chance if verdict.other == other]
    if not verdicts:
        return []
    title = f"chance: {other} against {found.runs[0]} ({verdicts[0].test}, {found.level})"
    table = columns([verdict.cells for verdict in verdicts], right=[1], indent="  ", width=width)
    return [*paragraph(title, width=width), *table, ""]
