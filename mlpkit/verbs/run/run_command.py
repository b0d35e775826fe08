"""``mlpkit run``: train the network of a spec."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

import click

from mlpkit.cli import completion, options
from mlpkit.cli.exit_codes import print_error, suggesting_shipped_spec
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.new_folders import RUNS, run_folder, run_folders
from mlpkit.cli.ranks import expect_one_rank, takes_ranks
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.terminal.output import message, print_warnings
from mlpkit.verbs.run.training import (
    TrainingOptions,
    TrainingResult,
    end_training,
    train,
    train_group,
    train_specs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlpkit.groups.group import Group
    from mlpkit.specfile.spec import Spec
    from mlpkit.training.ranks import Ranks

SECONDS_WORTH_SAVING: Final = 10
"""Of a training; a longer one that isn't watched at a terminal names at its end what could be faster."""


@options.verb("run")
@click.argument("paths", metavar="SPEC...", nargs=-1, required=True, shell_complete=completion.specs)
@options.takes_overrides
@click.option("--seeds", metavar="K", help="Train with K seeds, a run each; or with certain ones: 3,5,8.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the run, missing or empty; by default runs/NAME, or runs/NAME-2 and so on. Of several specs, the "
    "folder for all, in place of runs.",
)
@options.takes_training
@takes_ranks
def command(
    paths: tuple[str, ...],
    overrides: tuple[str, ...],
    seeds: str | None,
    out: Path | None,
    ranks: Ranks,
    **chosen: Any,
) -> None:
    """Train the network of a spec, or of several.

    What happens is kept in the run folder. Ctrl-C ends the training after the step it is in, and saves it for mlpkit
    resume; a second Ctrl-C ends the program at once.

    With several seeds, the folder holds a run folder for each, and the mean of each metric with its 95 % interval. As
    many train at once as there are cores for. So do the networks of an ensemble, whose average is the result, and
    several specs, each in a folder of its own; all are checked before the first is trained.
    """
    wanted = TrainingOptions(**chosen)
    if seeds is not None:
        overrides = (*overrides, override_of(seeds))
    if len(paths) > 1:
        expect_one_rank(ranks, several=True)
        _run_several(paths, overrides, out, wanted)
    else:
        _run_one(paths[0], overrides, out, wanted, ranks)


def _run_one(path: str, overrides: tuple[str, ...], out: Path | None, wanted: TrainingOptions, ranks: Ranks) -> None:
    """Train a spec."""
    with Interrupts() as interrupts:
        from mlpkit.jobs.train import train_spec  # noqa: PLC0415 - a signal that comes meanwhile must find the handlers
        from mlpkit.specfile.spec import read_spec  # noqa: PLC0415 - for the same reason

        with suggesting_shipped_spec(path):
            spec = read_spec(path, overrides=overrides, **wanted.plugin_options)
        print_warnings(spec.warnings)
        expect_one_rank(ranks, several=len(spec.seeds) > 1 or spec.trains_ensemble)
        with _telling_what_is_slow([spec], wanted), run_folder(spec, out, interrupts) as folder:
            if len(spec.seeds) > 1:
                from mlpkit.groups.seeds import run_seeds  # noqa: PLC0415 - most specs are trained with one

                found = train_group(partial(run_seeds, spec, folder), "seed", spec.name, folder, wanted, interrupts)
            elif spec.trains_ensemble:
                from mlpkit.groups.ensemble import run_ensemble  # noqa: PLC0415 - for the same reason

                train_networks = partial(run_ensemble, spec, folder)
                found = train_group(train_networks, "member", spec.name, folder, wanted, interrupts)
            else:
                job = partial(train_spec, spec.with_seed(spec.seeds[0]), folder, ranks=ranks)
                found = train(job, spec.name, folder, spec.document.text, wanted, interrupts)
    end_training(found, [folder], wanted, interrupts)


def _run_several(paths: tuple[str, ...], overrides: tuple[str, ...], out: Path | None, wanted: TrainingOptions) -> None:
    """Train several specs.

    Raises:
        UsageError: a page can't show them.
    """
    parent = out or RUNS
    if wanted.port is not None:
        raise UsageError(f"--live shows one spec; for several, leave it out: mlpkit live {quote(str(parent))}")
    with Interrupts() as interrupts:
        specs = _proved(paths, overrides, wanted)
        slow = _telling_what_is_slow([each.spec for each in specs], wanted)
        with slow, run_folders([each.spec.name for each in specs], parent, interrupts) as folders:
            found = train_specs(specs, folders, parent, wanted, interrupts)
    folders = [each.folder for each in found.finished]
    end_training(TrainingResult(found.stopped, bool(found.failed)), folders, wanted, interrupts)


def _proved(paths: Sequence[str], overrides: Sequence[str], wanted: TrainingOptions) -> list[Group]:
    """Read and prove specs; if some are wrong, print the errors of all, and end the program."""
    from mlpkit.groups.several_specs import prove_spec  # noqa: PLC0415 - a signal must find the handlers
    from mlpkit.specfile.spec import read_spec  # noqa: PLC0415 - for the same reason

    proved: list[Group] = []
    said, exit_code = set(), 0
    for path in paths:
        try:
            with suggesting_shipped_spec(path):
                spec = read_spec(path, overrides=overrides, **wanted.plugin_options)
            print_warnings(spec.warnings)
            proved.append(prove_spec(spec))
            print_warnings(proved[-1].warnings)
        except UsageError:  # of the command, and not of this spec
            raise
        except MlpkitError as error:
            if str(error) not in said:  # a mistake in --set is one of all specs
                print_error(error)
            said.add(str(error))
            exit_code = max(exit_code, error.exit_code)
    if exit_code:
        wrong = len(paths) - len(proved)
        message(f"{wrong} of {len(paths)} specs can't be trained, so none is")
        raise click.exceptions.Exit(exit_code)
    return proved


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


@contextmanager
def _telling_what_is_slow(specs: Sequence[Spec], wanted: TrainingOptions) -> Iterator[None]:
    """Name what could compute faster: on a terminal before the training in the block, elsewhere after a long one."""
    waited_for, began = sys.stderr is not None and sys.stderr.isatty(), time.monotonic()
    if waited_for and not wanted.quiet:
        _say_what_is_slow(specs)
    yield
    if not waited_for and not wanted.quiet and time.monotonic() - began > SECONDS_WORTH_SAVING:
        _say_what_is_slow(specs)


def _say_what_is_slow(specs: Sequence[Spec]) -> None:
    """Name the components that could compute faster, and what to do for it."""
    found: dict[str, dict[str, None]] = {}
    for spec in specs:
        for reason, names in spec.registry.slow_because().items():
            found.setdefault(reason, {}).update(dict.fromkeys(names))
    for reason, all_names in found.items():
        message(f"note: {', '.join(all_names)} could compute faster: {reason}")
