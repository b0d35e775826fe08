"""``mlpkit runs``: list the runs there are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from mlpkit.cli import completion, options
from mlpkit.errors import RunFolderError, UsageError
from mlpkit.groups.list_runs import RunGroup, chosen, in_order, names_of_figures, runs_listed
from mlpkit.runs.overview import DAMAGED, FINISHED, RUNNING, STATES, STOPPED, RunOverview
from mlpkit.statistics import Interval
from mlpkit.terminal.figures import age, plus_minus
from mlpkit.terminal.formatting import GAP, columns, line_length, paragraph, shortened
from mlpkit.terminal.output import as_printed, document, ignore_hangup, message, on_screen, result, styled

RUNS: Final = Path("runs")
SECONDS_BETWEEN_DRAWINGS: Final = 1.0


@options.verb("runs")
@click.argument(
    "directory",
    metavar="[FOLDER]",
    default=RUNS,
    type=click.Path(path_type=Path),
    shell_complete=completion.runs,
)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES),
    metavar="STATE",
    help=f"Only runs in this state: {', '.join(STATES[:-1])} or {STATES[-1]}; may be repeated.",
)
@click.option("--spec", "specs", multiple=True, metavar="NAME", help="Only runs of this spec, such as mnist*.")
@click.option(
    "--sort",
    "key",
    default="age",
    metavar="KEY",
    help="Sort by age, name, state, spec, steps, or a loss or metric; the best first.",
)
@click.option("--reverse", is_flag=True, help="Reverse the order.")
@click.option("--watch", is_flag=True, help="Redraw the list every second, until Ctrl-C.")
@options.json_option
def command(
    directory: Path,
    states: tuple[str, ...],
    specs: tuple[str, ...],
    key: str,
    reverse: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """List runs.

    FOLDER holds run folders; the default is runs. A folder with several runs is one line, with the mean of its finished
    runs and a 95 % interval if they differ only in their seeds; name it as FOLDER to see each run. Loss and metrics are
    those of the validation data, or else of the training data: at the end of a finished run, at the last evaluation of
    another.
    """

    def read() -> list[RunGroup]:
        return in_order(chosen(runs_listed(directory), states, specs), key, reverse=reverse)

    if watch:
        _require_terminal(as_json)
        _redraw_every_second(lambda width: lines_of(read(), width))
    if directory == RUNS and not directory.exists():
        raise RunFolderError(f"{directory}: no such folder yet; mlpkit run SPEC creates it, or name another")
    entries = read()
    if as_json:
        for entry in entries:
            document(plain(entry))
    elif entries:
        result("\n".join(lines_of(entries, line_length())))
    else:
        message(f"{directory}: {'no such run' if states or specs else 'no runs'}")


def _require_terminal(as_json: bool) -> None:
    """Check that redrawn content replaces the earlier content."""
    if as_json:
        raise UsageError("--watch and --json can't both be given")
    if not on_screen():
        raise UsageError("--watch draws on a terminal, and standard output isn't one; leave it out, or use --json")


def _redraw_every_second(lines_at: Callable[[int], list[str]]) -> NoReturn:
    """Redraw the list every second, until Ctrl-C."""
    from rich import live, text  # noqa: PLC0415 - only a terminal needs rich

    from mlpkit.terminal.live_area import new_console  # noqa: PLC0415 - for the same reason

    console = new_console()
    with ignore_hangup(), live.Live(console=console, auto_refresh=False) as area:
        while True:
            drawn = (text.Text.from_ansi(as_printed(line), no_wrap=True) for line in lines_at(console.width))
            area.update(text.Text("\n").join(drawn) or "no runs yet", refresh=True)
            time.sleep(SECONDS_BETWEEN_DRAWINGS)


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
        "metrics": run.results,
    }


def _moment(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None
