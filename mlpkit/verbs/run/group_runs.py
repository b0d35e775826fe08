"""Several runs on the command line, of specs, seeds or an ensemble: trained, resumed, and their results printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any, Final

import click

from mlpkit.cli.around_training import RUNS, live_folder, make_display, run_folders
from mlpkit.cli.exit_codes import print_error, problems_document
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.options import given_spec
from mlpkit.display.display import FolderNames, RunNames
from mlpkit.display.group_outcomes import of_ensemble, of_seeds, of_specs, summary_table
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.groups.ensemble import EnsembleRun, resume_ensemble, run_ensemble
from mlpkit.groups.folders import plain_summary, summary_of
from mlpkit.groups.seeds import SeedRuns, evaluate_seeds, resume_seeds, run_seeds
from mlpkit.groups.several_runs import Group
from mlpkit.groups.several_specs import SpecResults, prove_spec, run_specs
from mlpkit.jobs.groups_of_rows import mean_over_runs
from mlpkit.registry.registry import Registry
from mlpkit.runs.layout import MEMBERS
from mlpkit.runs.overview import FAILED, FINISHED
from mlpkit.specfile.spec import Spec
from mlpkit.terminal.output import document, message, print_warnings, result
from mlpkit.training.events import ObserverGroup
from mlpkit.training.ranks import Ranks
from mlpkit.verbs.run.evaluate_command import print_groups, print_warning
from mlpkit.verbs.run.training import TrainingOptions, TrainingResult, end_training, note_slow_components

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


def run_several(
    paths: Sequence[str], overrides: Sequence[str], out: Path | None, wanted: TrainingOptions, interrupts: Interrupts
) -> tuple[TrainingResult, list[Path]]:
    """Train several specs, and return how that ended, and the folders of what is finished; see ``run_one``."""
    parent = out or RUNS
    if wanted.port is not None:
        raise UsageError(f"--live shows one spec; for several, leave it out: mlpkit live {quote(str(parent))}")
    specs = _proved(paths, overrides, wanted)
    note_slow_components([each.spec for each in specs], wanted)
    with run_folders([each.spec.name for each in specs], parent, interrupts) as folders:
        found = train_specs(specs, folders, parent, wanted, interrupts)
    folders = [each.folder for each in found.in_state(FINISHED)]
    return TrainingResult(found.stopped, bool(found.in_state(FAILED))), folders


def _proved(paths: Sequence[str], overrides: Sequence[str], wanted: TrainingOptions) -> list[Group]:
    """Read and prove specs; if some are wrong, print the errors of all, and end the program."""
    proved: list[Group] = []
    errors: dict[str, MlpkitError] = {}
    for path in paths:
        try:
            spec = given_spec(path, overrides, **wanted.plugin_options)
            print_warnings(spec.warnings)
            proved.append(prove_spec(spec))
            print_warnings(proved[-1].warnings)
        except UsageError:  # of the command, and not of this spec
            raise
        except MlpkitError as error:
            if str(error) not in errors:  # a mistake in --set is one of all specs
                print_error(error)
            errors[str(error)] = error
    if errors:
        wrong = len(paths) - len(proved)
        message(f"{wrong} of {len(paths)} specs can't be trained, so none is")
        if wanted.as_json:
            problems = [each for error in errors.values() for each in problems_document(error)["problems"]]
            document({"ok": False, "problems": problems, "warnings": []})
        raise click.exceptions.Exit(max(error.exit_code for error in errors.values()))
    return proved


def train_specs(
    specs: Sequence[Group],
    directories: Sequence[Path],
    parent: Path,
    options: TrainingOptions,
    interrupts: Interrupts,
) -> SpecResults:
    """Train several specs, each in a folder in the parent, and show them."""
    title, names = f"{len(specs)} specs", FolderNames(parent)
    with make_display(title, parent, options.quiet, options.as_json, names, each_evaluation=False) as display:
        interrupts.before_stopping = display.interrupted
        observer = ObserverGroup((interrupts, display))
        found = run_specs(specs, directories, workers=options.workers, observer=observer, stop=interrupts.stop)
        display.finished(of_specs(found))
    return found
