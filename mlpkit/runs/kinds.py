"""The kinds of folder that hold runs: how each is recognised, what the verbs do with it, and which one was meant."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeAlias

from mlpkit.errors import UsageError
from mlpkit.lazy_names import load
from mlpkit.runs.files import folders_in
from mlpkit.runs.layout import MEMBERS, RESOLVED, SEEDS, SPEC, SWEEP, has_file
from mlpkit.runs.run_json import recorded_kind


class Kind(NamedTuple):
    """A kind of folder; the functions are named as ``module:function``, and loaded by the verb that calls them.

    Args:
        name: what it is called.
        is_run: whether the folder is a run, with its own spec, model and results.
        holds: what is in it, in words.
        resume: resumes it, as ``mlpkit resume`` does; takes the folder, ranks, and the options of a training.
        evaluate: prints results; takes the folder, splits, other data, registry, and whether to print JSON.
        report: writes the page, and returns where; takes the folder, the file, registry, and examples in memory.
        marker: the file that makes a folder one of this kind; empty for a run, which has a spec.
        group: opens the folder of several runs, as the class with their folders by number; empty without them.
        noun: what is resumed, in a word.
        command: what resumes it on the command line.
        python: what resumes it in Python; empty for nothing.
    """

    name: str
    is_run: bool
    holds: str
    resume: str
    evaluate: str
    report: str
    marker: str = ""
    group: str = ""
    noun: str = "run"
    command: str = "mlpkit resume"
    python: str = ""


RUN: Final = Kind(
    "run",
    True,
    "the run of one network",
    resume="mlpkit.verbs.run.resume_run:resume_run",
    evaluate="mlpkit.verbs.run.evaluate_run:print_run",
    report="mlpkit.verbs.report.report:write_run_page",
)
ENSEMBLE_RUN: Final = Kind(
    "ensemble",
    True,
    "the run of an ensemble",
    group="mlpkit.groups.folders:EnsembleFolder",
    resume="mlpkit.verbs.run.group_runs:resume_members",
    evaluate="mlpkit.verbs.run.evaluate_run:print_run",
    report="mlpkit.verbs.report.report:write_run_page",
)
SEEDS_FOLDER: Final = Kind(
    "seeds",
    False,
    "the runs of several seeds",
    marker=SEEDS,
    group="mlpkit.groups.folders:SeedsFolder",
    resume="mlpkit.verbs.run.group_runs:resume_all_seeds",
    evaluate="mlpkit.verbs.run.group_runs:print_seeds",
    report="mlpkit.verbs.report.several_runs:write_seeds_page",
    python="mlpkit.resume_seeds",
)
SWEEP_FOLDER: Final = Kind(
    "sweep",
    False,
    "the trials of a sweep",
    marker=SWEEP,  # without a group: trials are numbered, but each may be several runs
    resume="mlpkit.verbs.sweep.training:resume",
    evaluate="mlpkit.verbs.run.evaluate_run:print_run",  # which refuses it, and names its trials
    report="mlpkit.verbs.sweep.page:write_sweep_page",
    noun="sweep",
    command="mlpkit sweep --resume",
    python="mlpkit.resume_sweep",
)
KINDS: Final = (RUN, ENSEMBLE_RUN, SEEDS_FOLDER, SWEEP_FOLDER)


def kind_of(directory: Path) -> Kind | None:
    """Return the kind of a folder; None if it holds neither a run nor several that belong together."""
    if has_file(directory, SPEC) or has_file(directory, RESOLVED):
        kind = recorded_kind(directory) or ("ensemble" if (directory / MEMBERS).is_dir() else "run")
        return ENSEMBLE_RUN if kind == ENSEMBLE_RUN.name else RUN
    return next((kind for kind in KINDS if kind.marker and has_file(directory, kind.marker)), None)


def is_run_folder(directory: Path) -> bool:
    """Whether a folder is a run, of one network or of an ensemble."""
    kind = kind_of(directory)
    return kind is not None and kind.is_run


def is_group(directory: Path) -> bool:
    """Whether a folder holds several runs by number: those of seeds, or of the networks of an ensemble."""
    kind = kind_of(directory)
    return kind is not None and bool(kind.group)


def members_of(directory: Path) -> dict[int, Path]:
    """Return the run folders in a run, by number: of its seeds, or of the networks of its ensemble, or just its own.

    Raises:
        RunFolderError: seeds.json is damaged.
    """
    kind = kind_of(directory)
    if kind is None or not kind.group:
        return {0: directory}
    members: dict[int, Path] = load(kind.group).open(directory).members
    return members


def runs_in(directory: Path) -> list[Path]:
    """Return the run folders in a folder; in one of a kind, such as a sweep, also those of the groups in it.

    Raises:
        RunFolderError: it can't be listed.
    """
    belong_together = kind_of(directory) is not None
    found = []
    for folder in folders_in(directory):
        if is_run_folder(folder):
            found.append(folder)
        elif belong_together and is_group(folder):
            found += filter(is_run_folder, folders_in(folder))
    return found


class KeptRun(Protocol):
    """What training returned, such as ``Run`` or ``SeedRuns``."""

    @property
    def folder(self) -> Path | None:
        """The folder that keeps it; None if nothing was written."""


RunArgument: TypeAlias = str | os.PathLike[str] | KeptRun


def directory_of(run: RunArgument) -> Path:
    """Return the folder of a run.

    Raises:
        UsageError: it is neither, or no folder keeps it.
    """
    if isinstance(run, str | os.PathLike):
        return Path(run)
    try:
        folder = run.folder
    except AttributeError as error:
        what = type(run).__name__
        raise UsageError(f"expected a run, or the name of its folder, such as 'runs/first'; got {what}") from error
    if folder is None:
        raise UsageError("no folder keeps this run; train with one: directory='runs/first'")
    return folder


def require_one_network(directory: Path, verb: str) -> None:
    """Check that a run has a single network, as verbs that examine a training need.

    Args:
        directory: the run folder.
        verb: the command that needs it, such as ``doctor``.

    Raises:
        UsageError: it is the run of an ensemble.
    """
    if kind_of(directory) is ENSEMBLE_RUN:
        member = shlex.quote(str(directory / MEMBERS / "0"))
        raise UsageError(f"{directory}: is an ensemble; give one of its networks: mlpkit {verb} {member}")
