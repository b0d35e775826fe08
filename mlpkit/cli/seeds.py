"""Training with several seeds, for ``mlpkit run`` and ``mlpkit resume``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from mlpkit.cli.exit_codes import WORK_FAILED
from mlpkit.cli.interrupt import end_if_stopped
from mlpkit.cli.output import message
from mlpkit.cli.progress.make_display import make_seeds_display
from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlpkit.cli.interrupt import Interrupts
    from mlpkit.jobs.seeds import SeedRuns
    from mlpkit.specfile.spec import Spec


def override_of(seeds: str) -> str:
    """Return the override that ``--seeds 5`` or ``--seeds 3,5,8`` stands for.

    Raises:
        UsageError: the text is neither a number nor numbers with commas between them, or can't be what a spec has.
    """
    from mlpkit.specfile.sections import MOST_SEEDS  # noqa: PLC0415 - --help does without

    numbers = [number.strip() for number in seeds.split(",")]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise UsageError(f"--seeds {seeds}: expected how many, such as --seeds 5, or which, such as --seeds 3,5,8")
    values = [str(int(number)) for number in numbers]  # a spec takes no 05
    if len(values) == 1 and not 1 <= int(values[0]) <= MOST_SEEDS:
        raise UsageError(f"--seeds {seeds}: expected from 1 to {MOST_SEEDS:,} seeds, or which, such as --seeds 3,5,8")
    twice = [value for i, value in enumerate(values) if value in values[:i]]
    if twice:
        raise UsageError(f"--seeds {seeds}: the seed {twice[0]} is there twice; expected different seeds")
    return f"seeds={values[0]}" if len(values) == 1 else f"seeds=[{', '.join(values)}]"


def train_seeds(spec: Spec, folder: Path, interrupts: Interrupts, quiet: bool, as_json: bool) -> SeedRuns:
    """Train a spec with its seeds, and return what came of it."""
    from mlpkit.jobs.seeds import run_seeds  # noqa: PLC0415 - most specs are trained with one

    with make_seeds_display(spec.name, folder, quiet, as_json, partial(interrupts.started, None)) as display:
        interrupts.before_stopping = display.interrupted
        found = run_seeds(spec, folder, observer=display, stop=interrupts.stop)
        display.finished(found)
    return found


def go_on_with_seeds(
    directory: Path,
    plugins: Sequence[str],
    blocked: Sequence[str],
    interrupts: Interrupts,
    quiet: bool,
    as_json: bool,
) -> SeedRuns:
    """Go on with the runs of several seeds that are not finished, and return what came of it."""
    from mlpkit.jobs.seeds import resume_seeds  # noqa: PLC0415 - most runs have one seed

    with make_seeds_display(directory.name, directory, quiet, as_json, partial(interrupts.started, None)) as display:
        interrupts.before_stopping = display.interrupted
        found = resume_seeds(directory, plugins=plugins, blocked=blocked, observer=display, stop=interrupts.stop)
        if not interrupts.training_began and not quiet:
            message(f"{directory}: the runs are finished; nothing was left to do")
        display.finished(found)
    return found


def end_of_seeds(found: SeedRuns, interrupts: Interrupts) -> None:
    """End the program with what the signal says, or with 1 if a run failed."""
    end_if_stopped(interrupts, found.stopped)
    if found.failures:
        raise click.exceptions.Exit(WORK_FAILED)
