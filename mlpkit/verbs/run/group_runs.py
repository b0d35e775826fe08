"""Runs of several seeds, or of an ensemble, on the command line: trained, resumed, and their results printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from mlpkit.cli.around_training import live_folder, make_display
from mlpkit.cli.interrupt import Interrupts
from mlpkit.display.display import RunNames
from mlpkit.display.group_outcomes import of_ensemble, of_seeds, summary_table
from mlpkit.groups.ensemble import EnsembleRun, resume_ensemble, run_ensemble
from mlpkit.groups.folders import plain_summary, summary_of
from mlpkit.groups.seeds import SeedRuns, evaluate_seeds, resume_seeds, run_seeds
from mlpkit.jobs.groups_of_rows import mean_over_runs
from mlpkit.registry.registry import Registry
from mlpkit.runs.layout import MEMBERS
from mlpkit.specfile.spec import Spec
from mlpkit.terminal.output import document, message, result
from mlpkit.training.events import ObserverGroup
from mlpkit.training.ranks import Ranks
from mlpkit.verbs.run.evaluate_run import print_groups, print_warning
from mlpkit.verbs.run.training import TrainingOptions, TrainingResult, end_training

OVER_SEEDS: Final = "Means over the seeds, with 95 % intervals of these; * marks those that don't overlap all rows'."

_NOTHING_LEFT: Final = {
    "seed": "the runs are finished; nothing was left to do",
    "member": "the networks are finished; nothing was left to train",
}


def train_runs(spec: Spec, folder: Path, wanted: TrainingOptions, interrupts: Interrupts) -> TrainingResult:
    """Train a spec with its seeds, or the networks of its ensemble; see ``train_group`` for the other arguments."""
    train, what = (run_seeds, "seed") if len(spec.seeds) > 1 else (run_ensemble, "member")
    return train_group(partial(train, spec, folder), what, spec.name, folder, wanted, interrupts)


def train_group(
    job: Callable[..., SeedRuns | EnsembleRun],
    what: str,
    title: str,
    folder: Path,
    options: TrainingOptions,
    interrupts: Interrupts,
) -> TrainingResult:
    """Train the networks of several seeds or of an ensemble, and show them.

    The job's keywords are ``workers``, ``observer`` and ``stop``; ``what`` is ``seed`` or ``member``, the number of a
    run.
    """
    with (
        live_folder(options.port, title, folder / MEMBERS if what == "member" else folder, interrupts),
        make_display(title, folder, options.quiet, options.as_json, RunNames(what)) as display,
    ):
        interrupts.before_stopping = display.interrupted
        found = job(workers=options.workers, observer=ObserverGroup((interrupts, display)), stop=interrupts.stop)
        if not interrupts.training_began and not options.quiet:
            message(f"{folder}: {_NOTHING_LEFT[what]}")
        display.finished(of_seeds(found) if isinstance(found, SeedRuns) else of_ensemble(found))
    return TrainingResult(found.stopped, failed=isinstance(found, SeedRuns) and bool(found.failures))


def resume_all_seeds(directory: Path, _: Ranks, **chosen: Any) -> None:
    """Resume the runs of several seeds, as ``resume_run`` does with one."""
    wanted = TrainingOptions(**chosen)
    _resume(partial(resume_seeds, directory, **wanted.plugin_options), "seed", directory, wanted)


def resume_members(directory: Path, _: Ranks, **chosen: Any) -> None:
    """Resume the networks of an ensemble, as ``resume_run`` does with one."""
    wanted = TrainingOptions(**chosen)

    def job(**how: Any) -> EnsembleRun:
        return resume_ensemble(directory, Registry.discover(**wanted.plugin_options), **how)

    _resume(job, "member", directory, wanted)


def _resume(job: Callable[..., SeedRuns | EnsembleRun], what: str, directory: Path, wanted: TrainingOptions) -> None:
    with Interrupts() as interrupts:
        found = train_group(job, what, directory.name, directory, wanted, interrupts)
    end_training(found, [directory], wanted, interrupts)


def print_seeds(
    directory: Path, splits: Sequence[str], data: Path | None, registry: Registry, as_json: bool, by: Sequence[str]
) -> None:
    """Evaluate the runs of several seeds, and print the means; for the arguments see ``print_run``."""
    found = evaluate_seeds(directory, splits, data, registry, by)
    print_warning(directory, next(iter(found.values())))
    summary = summary_of([each.metrics for each in found.values()])
    if as_json:
        document({"metrics": plain_summary(summary), "seeds": {seed: each.plain() for seed, each in found.items()}})
        return
    result(summary_table(summary))
    of_splits = {split: [each.by[split] for each in found.values()] for split in next(iter(found.values())).by}
    print_groups({split: mean_over_runs(each) for split, each in of_splits.items()}, OVER_SEEDS)
