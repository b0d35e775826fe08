"""Training several specs, which ``mlpkit run`` is given together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

import click

from mlpkit.cli.around_training import RUNS, make_display, run_folders
from mlpkit.cli.exit_codes import print_error, problems_document
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.options import given_spec
from mlpkit.display.display import FolderNames
from mlpkit.display.group_outcomes import of_specs
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.groups.several_runs import Group
from mlpkit.groups.several_specs import SpecResults, prove_spec, run_specs
from mlpkit.runs.overview import FAILED, FINISHED
from mlpkit.terminal.output import document, message, print_warnings
from mlpkit.training.events import ObserverGroup
from mlpkit.verbs.run.training import TrainingOptions, TrainingResult, noting_slow_components


def run_several(
    paths: Sequence[str], overrides: Sequence[str], out: Path | None, wanted: TrainingOptions, interrupts: Interrupts
) -> tuple[TrainingResult, list[Path]]:
    """Train several specs, and return how that ended, and the folders of what is finished; see ``run_one``."""
    parent = out or RUNS
    if wanted.port is not None:
        raise UsageError(f"--live shows one spec; for several, leave it out: mlpkit live {quote(str(parent))}")
    specs = _proved(paths, overrides, wanted)
    slow = noting_slow_components([each.spec for each in specs], wanted)
    with slow, run_folders([each.spec.name for each in specs], parent, interrupts) as folders:
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
