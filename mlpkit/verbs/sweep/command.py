"""``mlpkit sweep``: train a spec with many values of some keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlpkit.cli import completion, options
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.ranks import ranks_as_workers
from mlpkit.components.engine import LOCAL
from mlpkit.errors import UsageError
from mlpkit.verbs.sweep.engine_options import SweepCommand, engine_of_ranks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlpkit.registry.discovery import PluginOptions

F = TypeVar("F", bound="Callable[..., Any]")


def _folder_option(flag: str, name: str, about: str) -> Callable[[F], F]:
    """Return an option that takes the folder of a sweep."""
    path, completed = click.Path(path_type=Path), completion.runs_and_folders_of_runs
    return click.option(flag, name, metavar="DIR", type=path, shell_complete=completed, help=about)


@click.command("sweep", cls=SweepCommand)
@click.argument("path", metavar="[SPEC]", required=False, shell_complete=completion.specs)
@options.overrides_option
@click.option(
    "--workers", metavar="N", type=click.IntRange(1, 1024), help="Trials to train at once; by default one per core."
)
@click.option(
    "--on",
    metavar="ENGINE",
    default=LOCAL,
    show_default=True,
    help="Where to train them: local, in processes on this machine; or an engine of a plugin, such as acme.queue.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the sweep, missing or empty; by default runs/NAME, or runs/NAME-2 and so on.",
)
@_folder_option("--resume", "folder", "Resume the sweep in a folder, instead of SPEC.")
@click.option(
    "--add-trials", "added", metavar="N", type=click.IntRange(1), help="With --resume: extra trials to train."
)
@_folder_option("--status", "looked_at", "Show the state of the sweep in a folder, and change nothing.")
@_folder_option(
    "--stop", "stopped", "Stop the sweep in a folder after its current steps, and wait until it has saved its trials."
)
@options.report_option
@options.plugins_option
@options.quiet_option
@options.json_option
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

    The section sweep of the spec sets which keys to vary, and how to rank trials. Each trial is a run in its own
    folder. Ctrl-C stops the sweep after the current steps; --resume continues it, even after a crash, and repeats
    nothing. The results are the best spec, best.yaml, and a page about all trials, report.html. The exit code is 1 if a
    trial failed; one that diverged is a result.
    """
    with ranks_as_workers(engine_of_ranks(engine["on"], plugin_options)):
        options.require_one_display(quiet, as_json)
        _require_spec_or_folder(path, overrides, out, folder, added, [looked_at, stopped])
        with Interrupts():  # a signal that comes while modules are loaded must find the handlers
            from mlpkit.verbs.sweep.training import SweepTraining, show_status, stop  # noqa: PLC0415 - loads NumPy
        training = SweepTraining(engine, plugin_options, reports, quiet, as_json)
        if looked_at is not None:
            show_status(looked_at, plugin_options, as_json=as_json)
        elif stopped is not None:
            stop(stopped, quiet=quiet, as_json=as_json)
        elif folder is not None:
            training.resume(folder, added or 0)
        else:
            training.begin(str(path), overrides, out)


def _require_spec_or_folder(
    path: str | None,
    overrides: Sequence[str],
    out: Path | None,
    folder: Path | None,
    added: int | None,
    others: Sequence[Path | None],
) -> None:
    """Check that a spec or one folder is given, and only options that go with it, or raise ``UsageError``."""
    if sum(given is not None for given in (path, folder, *others)) != 1:
        raise UsageError("expected a spec, to start a sweep, or one of --resume DIR, --status DIR and --stop DIR")
    if folder is None and added is not None:
        raise UsageError("--add-trials goes with --resume DIR; a spec sets its own number of trials")
    if path is None and overrides:
        raise UsageError("--set can't change a sweep that has started; start another")
    if path is None and out is not None:
        raise UsageError("--out is for a new sweep; one that has started stays where it is")
