"""``mlpkit sweep``: train a spec with many values of some keys."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli import completion, options
from mlpkit.cli.around_training import after_run
from mlpkit.cli.exit_codes import WORK_FAILED
from mlpkit.cli.interrupt import Interrupts, end_if_stopped
from mlpkit.cli.ranks import ranks_as_workers
from mlpkit.components.engine import LOCAL
from mlpkit.errors import UsageError
from mlpkit.runs.overview import FAILED
from mlpkit.runs.writer_lock import writer_of
from mlpkit.terminal.output import document, message, print_warnings
from mlpkit.training.events import ObserverGroup
from mlpkit.verbs.sweep.engine_options import SweepCommand, engine_of_ranks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.training.ranks import Ranks
    from mlpkit.verbs.sweep.sweep import Sweep


@click.command("sweep", cls=SweepCommand)
@click.argument("path", metavar="[SPEC]", required=False, shell_complete=completion.specs)
@options.takes_overrides
@click.option(
    "--workers", metavar="N", type=click.IntRange(1, 1024), help="Trials to train at once; by default one per core."
)
@click.option(
    "--on",
    metavar="ENGINE",
    default=LOCAL,
    show_default=True,
    help="What trains them: local, processes on this machine; or an engine, such as acme.queue of a plugin.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the sweep, missing or empty; by default runs/NAME, or runs/NAME-2 and so on.",
)
@click.option(
    "--resume",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    shell_complete=completion.runs_and_folders_of_runs,
    help="Go on with the sweep in a folder; in place of SPEC.",
)
@click.option(
    "--add-trials",
    "added",
    metavar="N",
    type=click.IntRange(1),
    help="With --resume: train N trials beyond the planned.",
)
@click.option(
    "--status",
    "looked_at",
    metavar="DIR",
    type=click.Path(path_type=Path),
    shell_complete=completion.runs_and_folders_of_runs,
    help="Show what the sweep in a folder has come to so far, and leave it alone.",
)
@click.option(
    "--stop",
    "stopped",
    metavar="DIR",
    type=click.Path(path_type=Path),
    shell_complete=completion.runs_and_folders_of_runs,
    help="Stop the sweep in a folder after the steps it is in, and wait until it has saved its trials.",
)
@options.takes_report
@options.takes_plugins
@options.takes_quiet
@options.takes_json
def command(
    path: str | None,
    overrides: tuple[str, ...],
    engine: dict[str, Any],
    out: Path | None,
    folder: Path | None,
    added: int | None,
    looked_at: Path | None,
    stopped: Path | None,
    reports: bool,
    plugin_options: PluginOptions,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train a spec with many values of some keys, and find the best.

    The section sweep of the spec says which keys to vary, and what makes a trial good. Each trial is a run in a folder
    of its own. Ctrl-C ends the sweep after the steps it is in. --resume goes on, even after a crash, and repeats
    nothing. The best is written as a spec, best.yaml, and a page about all of them, report.html. The exit code is 1 if
    a trial failed; one that diverged is a result.
    """
    with ranks_as_workers(engine_of_ranks(engine["on"], plugin_options)):
        options.expect_one_way(quiet, as_json)
        _expect_spec_or_folder(path, overrides, out, folder, added, [looked_at, stopped])
        how: dict[str, Any] = {"engine": engine, "reports": reports, "quiet": quiet, "as_json": as_json}
        if looked_at is not None:
            from mlpkit.verbs.sweep.display import show_status  # noqa: PLC0415 - --help needs none

            show_status(looked_at, plugin_options, as_json=as_json)
        elif stopped is not None:
            _stop(stopped, quiet=quiet, as_json=as_json)
        elif folder is not None:
            resume_folder(folder, added or 0, plugin_options=plugin_options, **how)
        else:
            _begin(str(path), overrides, out, plugin_options=plugin_options, **how)


def _begin(
    path: str,
    overrides: Sequence[str],
    out: Path | None,
    *,
    engine: dict[str, Any],
    plugin_options: PluginOptions,
    reports: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Do a new sweep, show it, and end the program as it ended; see ``command`` for the arguments."""
    with Interrupts() as interrupts:
        from mlpkit.cli.new_folders import run_folder  # noqa: PLC0415 - for the same reason
        from mlpkit.verbs.sweep.sweep import sweep  # noqa: PLC0415 - a signal that comes meanwhile must find the handlers

        spec = options.given_spec(str(path), overrides, **plugin_options)
        print_warnings(spec.warnings)
        with run_folder(spec, out, interrupts) as made:
            found = _shown(partial(sweep, spec, made), spec.name, made, engine, quiet, as_json, interrupts)
    _end(found, interrupts, plugin_options, report=reports, shown=not quiet and not as_json)


def resume(directory: Path, _: Ranks, *, port: int | None, workers: int | None, **chosen: Any) -> None:
    """Do what ``mlpkit sweep --resume`` does, on this machine, for ``mlpkit resume``.

    Raises:
        UsageError: a page was asked for, which shows one run.
    """
    if port is not None:
        raise UsageError(f"--live shows one run; for a sweep, leave it out: mlpkit live {quote(str(directory))}")
    options.expect_one_way(chosen["quiet"], chosen["as_json"])
    resume_folder(directory, 0, engine={"workers": workers}, **chosen)


def resume_folder(
    folder: Path,
    added: int,
    *,
    engine: dict[str, Any],
    plugin_options: PluginOptions,
    reports: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Go on with the sweep in a folder, show it, and end the program as it ended; see ``command`` for the arguments."""
    with Interrupts() as interrupts:
        from mlpkit.verbs.sweep.sweep import resume_sweep  # noqa: PLC0415 - a signal must find the handlers

        job = partial(resume_sweep, folder, add_trials=added, **plugin_options)
        found = _shown(job, folder.name, folder, engine, quiet, as_json, interrupts)
    _end(found, interrupts, plugin_options, report=reports, shown=not quiet and not as_json)


def _shown(
    job: Callable[..., Sweep],
    title: str,
    folder: Path,
    engine: dict[str, Any],
    quiet: bool,
    as_json: bool,
    interrupts: Interrupts,
) -> Sweep:
    """Do a sweep, and show it."""
    from mlpkit.verbs.sweep.display import make_sweep_display, of_sweep  # noqa: PLC0415 - --help needs none

    with make_sweep_display(title, folder, quiet, as_json) as display:
        interrupts.before_stopping = display.interrupted
        found = job(**engine, observer=ObserverGroup((interrupts, display)), stop=interrupts.stop)
        display.finished(of_sweep(found))
    return found


def _end(
    found: Sweep,
    interrupts: Interrupts,
    plugin_options: PluginOptions,
    *,
    report: bool,
    shown: bool,
) -> None:
    """Write the report, and end the program with the exit code that the sweep calls for.

    Raises:
        Exit: it was stopped, a trial failed, or none is finished.
    """
    if report and not found.stopped:
        after_run(found.folder, plugin_options, shown=shown)
    end_if_stopped(interrupts, found.stopped)
    if found.best is None or found.left or FAILED in found.counts:
        raise click.exceptions.Exit(WORK_FAILED)


def _stop(folder: Path, *, quiet: bool, as_json: bool) -> None:
    """Stop the driver of a sweep, and say how to go on."""
    from mlpkit.verbs.sweep.folder import expect_sweep_folder  # noqa: PLC0415 - --help needs none
    from mlpkit.verbs.sweep.status import stop_sweep  # noqa: PLC0415 - for the same reason

    expect_sweep_folder(folder)
    shown = not quiet and not as_json
    if shown and (driver := writer_of(folder)):
        message(f"asking {driver} to stop, and waiting until its trials are saved")
    stopped = stop_sweep(folder)
    if as_json:
        document({"stopped": stopped, "folder": folder})
    elif shown:
        again = f"go on with: mlpkit sweep --resume {quote(str(folder))}"
        message(f"{folder}: {'stopped' if stopped else 'no driver is at work'}; {again}")


def _expect_spec_or_folder(
    path: str | None,
    overrides: Sequence[str],
    out: Path | None,
    folder: Path | None,
    added: int | None,
    others: Sequence[Path | None],
) -> None:
    """Make sure that there is either a spec or one folder, and no option that doesn't go with it.

    Raises:
        UsageError: there isn't, or there is one.
    """
    if sum(given is not None for given in (path, folder, *others)) != 1:
        raise UsageError("expected a spec, to begin a sweep, or one of --resume DIR, --status DIR and --stop DIR")
    if folder is None and added is not None:
        raise UsageError("--add-trials goes with --resume DIR; a spec says itself how many trials to train")
    if path is None and overrides:
        raise UsageError("--set can't change a sweep that has begun; begin another")
    if path is None and out is not None:
        raise UsageError("--out is for a new sweep; one that has begun stays where it is")
