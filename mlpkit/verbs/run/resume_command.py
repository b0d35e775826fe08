"""``mlpkit resume``: resume an interrupted run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli import completion, options
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.ranks import expect_one_rank, takes_ranks
from mlpkit.errors import UsageError
from mlpkit.runs.layout import is_ensemble, is_seeds_folder, is_sweep_folder
from mlpkit.verbs.run.training import TrainingOptions, TrainingResult, end_training, train, train_ensemble, train_seeds

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
    wanted = TrainingOptions(**chosen)
    several = is_seeds_folder(directory) or is_ensemble(directory) or is_sweep_folder(directory)
    expect_one_rank(ranks, several=several)
    longer = [option is not None for option in (epochs, iterations, out)]
    if several and any(longer):
        raise UsageError(f"{directory}: has several runs; --epochs, --iterations and --out are for one of them")
    if is_sweep_folder(directory):
        _resume_sweep(directory, wanted)
        return
    components: dict[str, Any] = {"plugins": wanted.plugins, "blocked": wanted.blocked}
    with Interrupts() as interrupts:
        from mlpkit.jobs.resume_network import resume_network  # noqa: PLC0415 - a signal must find the handlers

        if any(longer):
            found, directory = _train_longer(directory, epochs, iterations, out, ranks, wanted, interrupts)
        elif is_seeds_folder(directory):
            from mlpkit.groups.seeds import resume_seeds  # noqa: PLC0415 - most runs have one seed

            of_seeds = partial(resume_seeds, directory, **components)
            found = train_seeds(of_seeds, directory.name, directory, wanted, interrupts)
        elif is_ensemble(directory):
            from mlpkit.groups.ensemble import resume_ensemble  # noqa: PLC0415 - most runs train one network
            from mlpkit.registry.registry import Registry  # noqa: PLC0415 - for the same reason

            of_all = partial(resume_ensemble, directory, Registry.discover(**components))
            found = train_ensemble(of_all, directory.name, directory, wanted, interrupts)
        else:
            job = partial(resume_network, directory, ranks=ranks, **components)
            found = train(job, directory.name, directory, "", wanted, interrupts)
    end_training(found, [directory], wanted, interrupts)


def _train_longer(
    directory: Path,
    epochs: int | None,
    iterations: int | None,
    out: Path | None,
    ranks: Ranks,
    wanted: TrainingOptions,
    interrupts: Interrupts,
) -> tuple[TrainingResult, Path]:
    """Train a finished run for longer, and return how that ended, and the folder of the longer run."""
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - a signal must find the handlers
    from mlpkit.verbs.run.train_longer import Length, folder_for, train_longer  # noqa: PLC0415 - most are resumed

    if (epochs is None) == (iterations is None):
        raise UsageError("expected either --epochs N or --iterations N, to train a finished run for longer")
    if ranks.size > 1:
        raise UsageError("several ranks can't begin a longer run; begin it without mpiexec, and resume it with mpiexec")
    registry = Registry.discover(plugins=wanted.plugins, blocked=wanted.blocked)
    folder = folder_for(directory, out)
    job = partial(train_longer, directory, Length(epochs, iterations), folder, registry)
    return train(job, folder.name, folder, "", wanted, interrupts), folder


def _resume_sweep(directory: Path, wanted: TrainingOptions) -> None:
    """Do what ``mlpkit sweep --resume`` does, on this machine.

    Raises:
        UsageError: a page was asked for, which shows one run.
    """
    from mlpkit.verbs.sweep.command import resume_folder  # noqa: PLC0415 - most folders are of one run

    if wanted.port is not None:
        raise UsageError(f"--live shows one run; for a sweep, leave it out: mlpkit live {quote(str(directory))}")
    resume_folder(
        directory,
        0,
        engine={"workers": wanted.workers},
        plugins=wanted.plugins,
        blocked=wanted.blocked,
        reports=wanted.reports,
        quiet=wanted.quiet,
        as_json=wanted.as_json,
    )
