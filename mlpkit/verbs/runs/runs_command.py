"""``mlpkit runs``: list the runs there are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from mlpkit.cli import completion, options
from mlpkit.errors import RunFolderError, UsageError
from mlpkit.runs.overview import STATES
from mlpkit.terminal.formatting import line_length
from mlpkit.terminal.output import as_printed, document, ignore_hangup, message, on_screen, result

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit.groups.list_runs import RunGroup

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
    "--where",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Only runs that meet a condition, such as 'loss<0.1'.",
)
@click.option(
    "--sort",
    "key",
    default="age",
    metavar="KEY",
    help="Sort by age, name, state, spec, steps, best, or a loss or metric; the best first.",
)
@click.option("--reverse", is_flag=True, help="Reverse the order.")
@click.option("--watch", is_flag=True, help="Redraw the list every second, until Ctrl-C.")
@options.json_option
def command(
    directory: Path,
    states: tuple[str, ...],
    specs: tuple[str, ...],
    conditions: tuple[str, ...],
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
    if watch:
        _require_terminal(as_json)
    from mlpkit.groups import list_runs  # noqa: PLC0415 - loads much that --help doesn't need
    from mlpkit.verbs.runs.runs_table import lines_of, plain  # noqa: PLC0415 - for the same reason

    where = [list_runs.read_condition(text) for text in conditions]
    listed = list_runs.RunList(directory)

    def read() -> list[RunGroup]:
        return list_runs.in_order(list_runs.chosen(listed.read(), states, specs, where), key, reverse=reverse)

    if watch:
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
        why = list_runs.nothing_to_judge(listed.read(), where)
        text = "no such run" if states or specs or where else "no runs"
        message(f"{directory}: {text}{why and f': {why}'}")


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
    with ignore_hangup(), live.Live(console=console, auto_refresh=False, vertical_overflow="crop") as area:
        while True:
            width, height = console.size
            lines = lines_at(width) or ["no runs yet"]
            most = max(height - 2, 1)
            if len(lines) > most:
                lines = [*lines[:most], f"and {len(lines) - most} more lines"]
            drawn = (text.Text.from_ansi(as_printed(line), no_wrap=True) for line in lines)
            area.update(text.Text("\n").join(drawn), refresh=True)
            time.sleep(SECONDS_BETWEEN_DRAWINGS)
