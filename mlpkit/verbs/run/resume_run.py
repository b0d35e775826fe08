"""Resuming a run of one network on the command line, or training it for longer."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from mlpkit.cli.interrupt import Interrupts
from mlpkit.errors import UsageError
from mlpkit.jobs.resume_network import resume_network
from mlpkit.registry.registry import Registry
from mlpkit.training.ranks import Ranks
from mlpkit.verbs.run.train_longer import Length, folder_for, train_longer
from mlpkit.verbs.run.training import TrainingOptions, end_training, train


def resume_run(directory: Path, ranks: Ranks, **chosen: Any) -> None:
    """Resume a run of one network, and exit as it ended; ``chosen`` are ``TrainingOptions``."""
    wanted = TrainingOptions(**chosen)
    with Interrupts() as interrupts:
        job = partial(resume_network, directory, ranks=ranks, **wanted.plugin_options)
        found = train(job, directory.name, directory, "", wanted, interrupts)
    end_training(found, [directory], wanted, interrupts)


def resume_for_longer(
    directory: Path, ranks: Ranks, *, epochs: int | None, iterations: int | None, out: Path | None, **chosen: Any
) -> None:
    """Train a finished run for longer, and end the program as that ended; ``chosen`` are ``TrainingOptions``."""
    wanted = TrainingOptions(**chosen)
    if (epochs is None) == (iterations is None):
        raise UsageError("expected either --epochs N or --iterations N, to train a finished run for longer")
    if ranks.size > 1:
        raise UsageError("several ranks can't start a longer run; start it without mpiexec, and resume it with mpiexec")
    with Interrupts() as interrupts:
        registry = Registry.discover(**wanted.plugin_options)
        folder = folder_for(directory, out)
        job = partial(train_longer, directory, Length(epochs, iterations), folder, registry)
        found = train(job, folder.name, folder, "", wanted, interrupts)
    end_training(found, [folder], wanted, interrupts)
