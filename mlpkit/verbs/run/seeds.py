"""Resuming the runs of several seeds on the command line, and printing their results."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mlpkit.cli.interrupt import Interrupts
from mlpkit.display.group_outcomes import summary_table
from mlpkit.groups.numbered_runs import plain_summary, summary_of
from mlpkit.groups.seeds import evaluate_seeds, resume_seeds
from mlpkit.terminal.output import document, result
from mlpkit.verbs.run.evaluate_run import print_doubt
from mlpkit.verbs.run.training import TrainingOptions, end_training, train_group

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlpkit.registry.registry import Registry
    from mlpkit.training.ranks import Ranks


def resume_all_seeds(directory: Path, _: Ranks, **chosen: Any) -> None:
    """Go on with the runs of several seeds, as ``resume_run`` does with one."""
    wanted = TrainingOptions(**chosen)
    with Interrupts() as interrupts:
        job = partial(resume_seeds, directory, **wanted.plugin_options)
        found = train_group(job, "seed", directory.name, directory, wanted, interrupts)
    end_training(found, [directory], wanted, interrupts)


def print_seeds(directory: Path, splits: Sequence[str], data: Path | None, registry: Registry, as_json: bool) -> None:
    """Evaluate the runs of several seeds, and print the means; the arguments are those of ``print_run``."""
    found = evaluate_seeds(directory, splits, data, registry)
    print_doubt(directory, next(iter(found.values())))
    summary = summary_of([each.metrics for each in found.values()])
    if as_json:
        document({"metrics": plain_summary(summary), "seeds": {seed: each.metrics for seed, each in found.items()}})
    else:
        result(summary_table(summary))
