"""Training a spec on the command line, or resuming: it is shown, can be interrupted, and ends with a report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Final, NamedTuple

import click

from mlpkit.cli.around_training import after_run, live_page, make_display, run_folder
from mlpkit.cli.exit_codes import WORK_FAILED
from mlpkit.cli.interrupt import Interrupts, end_if_stopped
from mlpkit.cli.options import given_spec, require_one_display
from mlpkit.cli.ranks import require_one_rank
from mlpkit.display.display import MuteWhenClosed, of_run
from mlpkit.errors import UsageError
from mlpkit.jobs.train import Run, train_spec
from mlpkit.lazy_names import load
from mlpkit.registry.discovery import PluginOptions
from mlpkit.specfile.spec import Spec
from mlpkit.terminal.output import message, print_warnings
from mlpkit.training.events import ObserverGroup
from mlpkit.training.ranks import Ranks


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


TRAIN_GROUP: Final = "mlpkit.verbs.run.group_runs:train_runs"
"""What trains seeds or an ensemble; most specs train one network, and load less."""


def run_one(
    path: str, overrides: Sequence[str], out: Path | None, wanted: TrainingOptions, ranks: Ranks, interrupts: Interrupts
) -> tuple[TrainingResult, list[Path]]:
    """Train a spec with overrides in a folder, by default one in ``runs``; return how that ended, and the folder."""
    spec = given_spec(path, overrides, **wanted.plugin_options)
    print_warnings(spec.warnings)
    several = len(spec.seeds) > 1 or spec.trains_ensemble
    require_one_rank(ranks, several)
    note_slow_components([spec], wanted)
    with run_folder(spec, out, interrupts) as folder:
        if several:
            found: TrainingResult = load(TRAIN_GROUP)(spec, folder, wanted, interrupts)
        else:
            job = partial(train_spec, spec.with_seed(spec.seeds[0]), folder, ranks=ranks)
            found = train(job, spec.name, folder, spec.document.text, wanted, interrupts)
    return found, [folder]


def override_of(seeds: str) -> str:
    """Return the override that ``--seeds 5`` or ``--seeds 3,5,8`` stands for, or raise ``UsageError``."""
    numbers = [number.strip() for number in seeds.split(",")]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise UsageError(
            f"--seeds {seeds}: expected a number of seeds, such as --seeds 5, or a list, such as --seeds 3,5,8"
        )
    values = [str(int(number)) for number in numbers]  # a spec takes no 05
    return f"seeds={values[0]}" if len(values) == 1 else f"seeds=[{', '.join(values)}]"


def note_slow_components(specs: Sequence[Spec], wanted: TrainingOptions) -> None:
    """Name the components that could compute faster, and what to do for it, to who waits at a terminal."""
    if wanted.quiet or sys.stderr is None or not sys.stderr.isatty():
        return
    found: dict[str, dict[str, None]] = {}
    for spec in specs:
        for reason, names in spec.registry.slow_because().items():
            found.setdefault(reason, {}).update(dict.fromkeys(names))
    for reason, all_names in found.items():
        message(f"note: {', '.join(all_names)} could compute faster: {reason}")
