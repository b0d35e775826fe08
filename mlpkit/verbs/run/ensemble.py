"""Resuming an ensemble on the command line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mlpkit.cli.interrupt import Interrupts
from mlpkit.groups.ensemble import resume_ensemble
from mlpkit.registry.registry import Registry
from mlpkit.verbs.run.training import TrainingOptions, end_training, train_group

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.training.ranks import Ranks


def resume_members(directory: Path, _: Ranks, **chosen: Any) -> None:
    """Go on with the networks of an ensemble, as ``resume_run`` does with one."""
    wanted = TrainingOptions(**chosen)
    with Interrupts() as interrupts:
        job = partial(resume_ensemble, directory, Registry.discover(**wanted.plugin_options))
        found = train_group(job, "member", directory.name, directory, wanted, interrupts)
    end_training(found, [directory], wanted, interrupts)
