"""``mlpkit resume``: resume an interrupted run."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli import completion, options
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.ranks import expect_one_rank, takes_ranks
from mlpkit.cli.training import TrainingOptions, end_training, train, train_ensemble, train_seeds
from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from mlpkit.training.ranks import Ranks


@options.verb("resume")
@click.argument(
    "directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs_and_folders_of_runs
)
@options.takes_training
@takes_ranks
def command(directory: Path, ranks: Ranks, **chosen: Any) -> None:
    """Resume an interrupted run.

    RUN is a run folder. The run goes on from its newest checkpoint, and its results are the same to the bit as if it
    had never been interrupted. If the spec, a plugin or the data has changed since, it is refused. A finished run
    is left as it is. Of a folder with the runs of several seeds, those go on that are not finished, and so do
    the networks of an ensemble.
    """
    wanted = TrainingOptions(**chosen)
    components: dict[str, Any] = {"plugins": wanted.plugins, "blocked": wanted.blocked}
    with Interrupts() as interrupts:
        from mlpkit.jobs.resume_network import resume_network  # noqa: PLC0415 - a signal must find the handlers
        from mlpkit.runs.layout import (  # noqa: PLC0415 - for the same reason
            is_ensemble,
            is_seeds_folder,
            is_sweep_folder,
        )

        if is_sweep_folder(directory):
            again = shlex.quote(str(directory))
            raise UsageError(f"{directory}: holds the trials of a sweep; go on with: mlpkit sweep --resume {again}")
        expect_one_rank(ranks, several=is_seeds_folder(directory) or is_ensemble(directory))
        if is_seeds_folder(directory):
            from mlpkit.jobs.seeds import resume_seeds  # noqa: PLC0415 - most runs have one seed

            several = partial(resume_seeds, directory, **components)
            found = train_seeds(several, directory.name, directory, wanted, interrupts)
        elif is_ensemble(directory):
            from mlpkit.jobs.ensemble import resume_ensemble  # noqa: PLC0415 - most runs train one network
            from mlpkit.registry.registry import Registry  # noqa: PLC0415 - for the same reason

            of_all = partial(resume_ensemble, directory, Registry.discover(**components))
            found = train_ensemble(of_all, directory.name, directory, wanted, interrupts)
        else:
            job = partial(resume_network, directory, ranks=ranks, **components)
            found = train(job, directory.name, directory, "", wanted, interrupts)
    end_training(found, [directory], wanted, interrupts)
