"""Runs as a table for a terminal, and as plain data."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mlpkit.groups.list_runs import RunGroup, best_of, names_of_figures
from mlpkit.runs.overview import DAMAGED, FINISHED, RUNNING, STOPPED, RunOverview
from mlpkit.statistics import Interval
from mlpkit.terminal.figures import age, plus_minus
from mlpkit.terminal.formatting import GAP, columns, paragraph, shortened
from mlpkit.terminal.output import styled

COLOURS: Final = {RUNNING: "cyan", FINISHED: "green", STOPPED: "yellow"}
"""Of states; the others are red."""
NARROWEST_NAME: Final = 12
LONGEST_SPEC: Final = 24


@dataclass(frozen=True)
class _Column:
    """A column of the list; the lower its importance, the longer it is kept on a narrow terminal."""

    title: str
    cells: list[str]
    importance: int
    is_number: bool = True

    @property
    def width(self) -> int:
        return max(map(len, (self.title, *self.cells)))


def lines_of(entries: Sequence[RunGroup], width: int | None) -> list[str]:
    """Return the lines of the list, in as many columns as there is room for, and below it what is damaged."""
    if not entries:
        return []
    every = _columns(entries)
    kept = _fitting(every, width)
    rows = [[column.title for column in kept], *map(list, zip(*(column.cells for column in kept), strict=True))]
    if width is not None:
        room = max(width - sum(len(GAP) + column.width for column in kept[1:]), NARROWEST_NAME)
        rows = [[shortened(row[0], room), *row[1:]] for row in rows]
    for row, entry in zip(rows[1:], entries, strict=True):
        row[1] = styled(row[1], COLOURS.get(entry.state, "red"))
    lines = columns(rows, right=[i for i, column in enumerate(kept) if column.is_number])
    left_out = [column.title for column in every if column not in kept]
    if left_out:
        hidden = f"hidden, since the terminal is too narrow: {', '.join(left_out)}; --json prints all"
        lines += ["", *paragraph(hidden, width=width)]
    problems = [run.problem for entry in entries for run in entry.runs if run.state == DAMAGED or len(entries) == 1]
    below = [line for problem in problems if problem for line in paragraph(problem, width=width)]
    return [*lines, "", *below] if below else lines


def _fitting(every: Sequence[_Column], width: int | None) -> list[_Column]:
    """Return the columns that fit, dropping the least important first; name and state always stay."""
    kept = list(every)
    while width is not None and len(kept) > 2:
        name, *others = kept
        needed = min(name.width, max(NARROWEST_NAME, width // 3)) + sum(len(GAP) + column.width for column in others)
        if needed <= width:
            break
        kept.remove(max(kept, key=lambda column: column.importance))
    return kept


def _columns(entries: Sequence[RunGroup]) -> list[_Column]:
    now = time.time()
    names = sorted(names_of_figures(entries), key=lambda name: -sum(entry.value(name) is not None for entry in entries))
    found = [
        _Column("run", [str(entry.directory) for entry in entries], 0, is_number=False),
        _Column("state", [_state(entry) for entry in entries], 1, is_number=False),
        _Column("steps", [_steps(entry) for entry in entries], 6),
        *(
            _Column(name, [_figure(entry.value(name)) for entry in entries], importance)
            for name, importance in zip(names, (2, 4, *range(10, 10 + len(names))), strict=False)
        ),
        _Column("best", [_best(entry) for entry in entries], 7, is_number=False),
        _Column("age", [age(now - entry.began) if entry.began else "" for entry in entries], 5),
        _Column("spec", [shortened(entry.spec, LONGEST_SPEC) for entry in entries], 3, is_number=False),
        *(
            _Column(f"test {name}", [_figure(entry.value(f"test_{name}")) for entry in entries], 100 + i)
            for i, name in enumerate(names)
        ),
    ]
    return [column for column in found if any(column.cells)]


def _state(entry: RunGroup) -> str:
    if not entry.grouped:
        return entry.state
    return f"{entry.state} {sum(run.state == FINISHED for run in entry.runs)}/{entry.planned}"


def _steps(entry: RunGroup) -> str:
    if entry.total is None:
        return f"{entry.steps:,}" if entry.steps else ""
    return f"{entry.steps:,}/{entry.total:,}"


def _figure(value: Interval | None) -> str:
    return "" if value is None else plus_minus(value)


def _best(entry: RunGroup) -> str:
    value = entry.best()
    if value is None:
        return ""
    found = best_of(entry.runs[0])
    when = "" if entry.grouped or found is None else f" at {found.iteration:,}"
    return f"{entry.runs[0].monitor} {plus_minus(value)}{when}"


def plain(entry: RunGroup) -> dict[str, Any]:
    """Return a run, or a folder of several, as plain data."""
    if not entry.grouped:
        return _plain_run(entry.runs[0])
    keys = [f"{split}{name}" for split in ("", "test_") for name in names_of_figures([entry])]
    means = {key: value for key in keys if (value := entry.value(key)) is not None}
    return {
        "directory": str(entry.directory),
        "state": entry.state,
        "spec": entry.spec,
        "means": {key: asdict(value) for key, value in means.items()},
        "runs": [_plain_run(run) for run in entry.runs],
    }


def _plain_run(run: RunOverview) -> dict[str, Any]:
    best = best_of(run)
    return {
        "directory": str(run.directory),
        "state": run.state,
        "problem": run.problem,
        "spec": run.spec,
        "seed": run.seed,
        "began": _moment(run.began),
        "changed": _moment(run.changed),
        "steps": run.steps,
        "total": run.total,
        "last": run.last,
        "best": None if best is None else {"monitor": run.monitor, **best._asdict()},
        "metrics": run.results,
    }


def _moment(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None
