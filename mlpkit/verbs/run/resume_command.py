"""``mlpkit resume``: resume an interrupted run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli import completion, options
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.ranks import expect_one_rank, takes_ranks
from mlpkit.errors import UsageError
from mlpkit.lazy_names import load
from mlpkit.runs.kinds import RUN, kind_of
from mlpkit.verbs.run.training import TrainingOptions, end_training, train, train_group

if TYPE_CHECKING:
    from mlpkit.training.ranks import Ranks


@options.verb("resume")
@click.argument(
    "directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs_and_folders_of_runs
)
@click.option("--epochs", metavar="N", type=click.IntRange(1), help="Train a finished run for longer: N epochs in all.")
@click.option("--iterations", metavar="N", type=click.IntRange(1), help="The same in steps.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the longer run, missing or empty; by default RUN-2 and so on.",
)
@options.takes_training
@takes_ranks
def command(
    directory: Path, epochs: int | None, iterations: int | None, out: Path | None, ranks: Ranks, **chosen: Any
) -> None:
    """Resume an interrupted run, or train a finished one for longer.

    RUN is a run folder. The run goes on from its newest checkpoint, and its results are the same to the bit as if it
    had never been interrupted. If the spec, a plugin or the data has changed since, it is refused. A finished run
    is left as it is; with --epochs or --iterations, it is continued in a folder of its own. Of a folder with the runs
    of several seeds, or of a sweep, those go on that are not finished, and so do the networks of an ensemble.
    """
    kind = kind_of(directory) or RUN  # which refuses a folder of no kind
    expect_one_rank(ranks, several=kind is not RUN)
    longer = any(option is not None for option in (epochs, iterations, out))
    if longer and kind is not RUN:
        raise UsageError(f"{directory}: has several runs; --epochs, --iterations and --out are for one of them")
    if longer:
        _train_longer(directory, epochs, iterations, out, ranks, TrainingOptions(**chosen))
    else:
        load(kind.resume)(directory, ranks, **chosen)


def resume_run(directory: Path, ranks: Ranks, **chosen: Any) -> None:
    """Go on with a run of one network, and end the program as it ended; ``chosen`` are ``TrainingOptions``."""
    wanted = TrainingOptions(**chosen)
    with Interrupts() as interrupts:
        from mlpkit.jobs.resume_network import resume_network  # noqa: PLC0415 - a signal must find the handlers

        job = partial(resume_network, directory, ranks=ranks, **wanted.plugin_options)
        found = train(job, directory.name, directory, "", wanted, interrupts)
    end_training(found, [directory], wanted, interrupts)


def resume_all_seeds(directory: Path, _: Ranks, **chosen: Any) -> None:
    """Go on with the runs of several seeds, as ``resume_run`` does with one."""
    wanted = TrainingOptions(**chosen)
    with Interrupts() as interrupts:
        from mlpkit.groups.seeds import resume_seeds  # noqa: PLC0415 - a signal must find the handlers

        job = partial(resume_seeds, directory, **wanted.plugin_options)
        found = train_group(job, "seed", directory.name, directory, wanted, interrupts)
    end_training(found, [directory], wanted, interrupts)


def resume_members(directory: Path, _: Ranks, **chosen: Any) -> None:
    """Go on with the networks of an ensemble, as ``resume_run`` does with one."""
    wanted = TrainingOptions(**chosen)
    with Interrupts() as interrupts:
        from mlpkit.groups.ensemble import resume_ensemble  # noqa: PLC0415 - a signal must find the handlers
        from mlpkit.registry.registry import Registry  # noqa: PLC0415 - for the same reason

        registry = Registry.discover(**wanted.plugin_options)
        job = partial(resume_ensemble, directory, registry)
        found = train_group(job, "member", directory.name, directory, wanted, interrupts)
    end_training(found, [directory], wanted, interrupts)


def _train_longer(
    directory: Path,
    epochs: int | None,
    iterations: int | None,
    out: Path | None,
    ranks: Ranks,
    wanted: TrainingOptions,
) -> None:
    """Train a finished run for longer, and end the program as that ended."""
    with Interrupts() as interrupts:
        from mlpkit.registry.registry import Registry  # noqa: PLC0415 - a signal must find the handlers
        from mlpkit.verbs.run.train_longer import Length, folder_for, train_longer  # noqa: PLC0415 - as above

        if (epochs is None) == (iterations is None):
            raise UsageError("expected either --epochs N or --iterations N, to train a finished run for longer")
        if ranks.size > 1:
            raise UsageError(
                "several ranks can't begin a longer run; begin it without mpiexec, and resume it with mpiexec"
            )
        registry = Registry.discover(**wanted.plugin_options)
        folder = folder_for(directory, out)
        job = partial(train_longer, directory, Length(epochs, iterations), folder, registry)
        found = train(job, folder.name, folder, "", wanted, interrupts)
    end_training(found, [folder], wanted, interrupts)
