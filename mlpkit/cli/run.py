"""``mlpkit run``: train the network of a spec."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mlpkit.cli import completion, options
from mlpkit.cli.exit_codes import print_warnings, suggesting_shipped_spec
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.output import message
from mlpkit.cli.ranks import expect_one_rank, takes_ranks
from mlpkit.cli.training import TrainingOptions, end_training, train, train_ensemble, train_seeds
from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.specfile.spec import Spec
    from mlpkit.training.ranks import Ranks

RUNS = Path("runs")
SECONDS_WORTH_SAVING: Final = 10
"""Of a training; a run that takes longer says what could be faster."""


@options.verb("run")
@click.argument("path", metavar="SPEC", shell_complete=completion.specs)
@options.takes_overrides
@click.option("--seeds", metavar="K", help="Train with K seeds, a run each; or with certain ones: 3,5,8.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the run, missing or empty; by default runs/NAME, or runs/NAME-2 and so on.",
)
@options.takes_training
@takes_ranks
def command(
    path: str, overrides: tuple[str, ...], seeds: str | None, out: Path | None, ranks: Ranks, **chosen: Any
) -> None:
    """Train the network of a spec.

    What happens is kept in the run folder. Ctrl-C ends the training after the step it is in, and saves it for mlpkit
    resume; a second Ctrl-C ends the program at once.

    With several seeds, the folder holds a run folder for each, and the mean of each metric with its 95 % interval. As
    many train at once as there are cores for. So do the networks of an ensemble, whose average is the result.
    """
    wanted = TrainingOptions(**chosen)
    if seeds is not None:
        overrides = (*overrides, override_of(seeds))
    with Interrupts() as interrupts:
        from mlpkit.jobs.run import train_spec  # noqa: PLC0415 - a signal that comes meanwhile must find the handlers
        from mlpkit.specfile.spec import read_spec  # noqa: PLC0415 - for the same reason

        with suggesting_shipped_spec(path):
            spec = read_spec(path, overrides=overrides, plugins=wanted.plugins, blocked=wanted.blocked)
        print_warnings(spec.warnings)
        expect_one_rank(ranks, several=len(spec.seeds) > 1 or spec.trains_ensemble)
        began = time.monotonic()
        with run_folder(spec, out, interrupts) as folder:
            if len(spec.seeds) > 1:
                from mlpkit.jobs.seeds import run_seeds  # noqa: PLC0415 - most specs are trained with one

                found = train_seeds(partial(run_seeds, spec, folder), spec.name, folder, wanted, interrupts)
            elif spec.trains_ensemble:
                from mlpkit.jobs.ensemble import run_ensemble  # noqa: PLC0415 - for the same reason

                found = train_ensemble(partial(run_ensemble, spec, folder), spec.name, folder, wanted, interrupts)
            else:
                job = partial(train_spec, spec.with_seed(spec.seeds[0]), folder, ranks=ranks)
                found = train(job, spec.name, folder, spec.document.text, wanted, interrupts)
    if not wanted.quiet and time.monotonic() - began > SECONDS_WORTH_SAVING:
        _say_what_is_slow(spec)
    end_training(found, folder, wanted, interrupts)


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


def _say_what_is_slow(spec: Spec) -> None:
    """Name the components that could compute faster, and what to do for it."""
    for reason, names in spec.registry.slow_because().items():
        message(f"note: {', '.join(names)} could compute faster: {reason}")


@contextmanager
def run_folder(spec: Spec, out: Path | None, interrupts: Interrupts) -> Iterator[Path]:
    """Choose the run folder; if training never begins, none is left, and if it fails, the error names it."""
    from mlpkit.runs.folder import RunFolder  # noqa: PLC0415 - a signal that comes meanwhile must find the handlers

    folder = out or RunFolder.next_free(RUNS, spec.name)
    try:
        yield folder
    except BaseException as error:
        if interrupts.training_began:
            error.add_note(f"note: what there is of the run is kept in {folder}")
        elif out is None:
            with suppress(OSError):  # not empty: something is there to be kept
                folder.rmdir()
        raise
