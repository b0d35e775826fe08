"""A training on the command line, new or resumed: it is shown, can be interrupted, and ends with a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import NamedTuple

import click

from mlpkit.cli.around_training import after_run, live_page
from mlpkit.cli.exit_codes import WORK_FAILED
from mlpkit.cli.interrupt import Interrupts, end_if_stopped
from mlpkit.cli.options import require_one_display
from mlpkit.display.display import MuteWhenClosed
from mlpkit.display.make_display import make_display
from mlpkit.display.outcomes import of_run
from mlpkit.jobs.training_job import Run
from mlpkit.registry.discovery import PluginOptions
from mlpkit.terminal.output import message
from mlpkit.training.events import ObserverGroup


@dataclass(frozen=True)
class TrainingOptions:
    """The options of a training, as ``options.training_options`` adds them; at most one way to show results.

    ``workers`` runs train at once, None for as many as there are cores for. A live page is served at ``port``, 0 for
    any port that is free, None for no page.
    """

    workers: int | None
    reports: bool
    card: bool
    port: int | None
    plugin_options: PluginOptions
    quiet: bool
    as_json: bool

    def __post_init__(self) -> None:
        """Check that the options go together."""
        require_one_display(self.quiet, self.as_json)


class TrainingResult(NamedTuple):
    """Why a training was stopped before its end, or an empty text; and whether one of several runs failed."""

    stopped: str
    failed: bool


def train(
    job: Callable[..., Run], title: str, folder: Path, spec: str, options: TrainingOptions, interrupts: Interrupts
) -> TrainingResult:
    """Train a network with a job, which takes ``observer`` and ``stop``, and show it; a live page has the spec."""
    with (
        live_page(options.port, title, folder, spec, interrupts) as page,
        make_display(title, folder, options.quiet, options.as_json) as display,
    ):
        interrupts.before_stopping = display.interrupted
        shown = MuteWhenClosed(display, interrupts.stop)
        listeners = (interrupts, shown) if page is None else (interrupts, shown, page)
        run = job(observer=ObserverGroup(listeners), stop=interrupts.stop)
        if page is not None:
            page.finished(run)
        shown.raise_if_unwritable()
        if not interrupts.training_began and not options.quiet:
            message(f"{folder}: the run is finished; to train longer: {_longer(folder, run)}")
        display.finished(of_run(run))
    return TrainingResult(run.stopped, failed=False)


def _longer(folder: Path, run: Run) -> str:
    """Return the command that trains a finished run for twice as long."""
    epochs = run.model.spec.training.epochs
    length = f"--epochs {2 * epochs}" if epochs else f"--iterations {2 * run.steps}"
    return f"mlpkit resume {quote(str(folder))} {length}"


def end_training(
    found: TrainingResult, folders: Sequence[Path], options: TrainingOptions, interrupts: Interrupts
) -> None:
    """Write reports and cards of a finished training, and end the program with its exit code unless all went well."""
    if interrupts.training_began and not found.stopped:
        wanted = ["report"] * options.reports + ["card"] * options.card
        shown = not options.quiet and not options.as_json
        for folder in folders:
            after_run(folder, wanted, options.plugin_options, shown=shown)
    end_if_stopped(interrupts, found.stopped)
    if found.failed:
        raise click.exceptions.Exit(WORK_FAILED)
