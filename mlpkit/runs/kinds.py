"""What a folder with runs is: its kind, what the verbs do with it, and the identity of a run, however far it is."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from mlpkit.errors import UsageError
from mlpkit.lazy_names import load
from mlpkit.runs.files import LARGEST_DOCUMENT, folders_in, read_limited
from mlpkit.runs.json_files import damaged, decode, fits, optional, read_content, read_object
from mlpkit.runs.layout import MEMBERS, RESOLVED, RUN_JSON, SEEDS, SPEC, SWEEP, has_file

LARGEST: Final = 2**16
"""Bytes of run.json: mlpkit writes some hundred."""


class RunIdentity(NamedTuple):
    """What a run is, however far it is.

    Args:
        kind: ``run`` or ``ensemble``.
        name: the spec's name.
        seed: the seed; None before the spec is written.
        digest: SHA-256 of the resolved spec without its seed and what it tells about the model: runs of the same digest
            differ in the seed alone.
        monitor: what the run compares evaluations by, ``loss`` or a metric's name.
        total: steps of the whole run; None if the clock ends it, or if only the epochs are known.
        epochs: passes over the training data, as long as the steps aren't known.
    """

    kind: str = "run"
    name: str = ""
    seed: int | None = None
    digest: str = ""
    monitor: str = "loss"
    total: int | None = None
    epochs: int | None = None

    def total_steps(self, evaluation: Mapping[str, float]) -> int | None:
        """Return the steps of the whole run, which an evaluation tells if only the epochs are known."""
        if self.epochs is None or not evaluation.get("epoch"):
            return self.total
        return round(self.epochs * evaluation["iteration"] / evaluation["epoch"])


_RECORD: Final = {"kind": str, "name": str, "seed": int, "digest": str, "monitor": str, "total": optional(int)}


def read_identity(directory: Path) -> RunIdentity:
    """Return what the run of a folder is, from run.json or else resolved.yaml, or raise ``RunFolderError``."""
    if not has_file(directory, RUN_JSON):
        return identity_in(directory / RESOLVED)
    path = directory / RUN_JSON
    record = read_object(path, LARGEST)
    if not fits(record, _RECORD):
        raise damaged(path, "expected kind, name, seed, digest, monitor and total")
    return RunIdentity(**{key: record[key] for key in _RECORD})


def recorded_kind(directory: Path) -> str:
    """Return the kind in run.json; empty if it is missing or damaged, which ``read_identity`` reports."""
    with suppress(OSError, ValueError, AttributeError):
        return str(decode(read_limited(directory / RUN_JSON, LARGEST)).get("kind"))
    return ""


_TOP_LEVEL: Final = re.compile(rb"^(?=\w)", re.MULTILINE)
"""Where a key of the top level begins: mlpkit indents all that belongs to it, or puts it after a dash."""
_WANTED: Final = (b"name:", b"seed:", b"ensemble:", b"training:")


def identity_in(resolved: Path) -> RunIdentity:
    """Return what a resolved spec tells of its run; the long part about layers and data is not parsed."""
    keys = _TOP_LEVEL.split(read_content(resolved, LARGEST_DOCUMENT))
    digest = hashlib.sha256(b"".join(key for key in keys if not key.startswith((b"seed:", b"about:"))))
    try:
        values = _plain(b"".join(key for key in keys if key.startswith(_WANTED)))
        training, ensemble = values["training"], _mapping(values.get("ensemble"))
        return RunIdentity(
            "ensemble" if ensemble and "member" not in ensemble else "run",
            values["name"].replace("$$", "$"),
            int(values["seed"]),
            digest.hexdigest(),
            _monitor(training),
            _number(training.get("iterations")),
            _number(training.get("epochs")),
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise damaged(resolved, "expected a spec with name, seed and training, as mlpkit writes it") from error


@lru_cache(maxsize=1024)
def _plain(text: bytes) -> Any:
    """Return what a text holds that PyYAML wrote, every scalar as a string."""
    import yaml  # noqa: PLC0415 - what has run.json needs none

    try:
        return yaml.load(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _number(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() else None


def _monitor(training: Mapping[str, Any]) -> str:
    """Return what a run compares evaluations by, as ``tracker_of`` in ``mlpkit.training.checkpointing`` does."""
    checkpoint, stopping = (_mapping(training.get(key)) for key in ("checkpoint", "early_stopping"))
    found = (training.get("best_weights"), checkpoint.get("best"), stopping.get("metric"))
    return next((name for name in found if isinstance(name, str) and name != "null"), "loss")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


class Kind(NamedTuple):
    """A kind of folder; the functions are named as ``module:function``, and loaded by the verb that calls them.

    Args:
        name: what it is called.
        is_run: whether the folder is a run, with its own spec, model and results.
        holds: what is in it, in words.
        resume: resumes it, as ``mlpkit resume`` does; takes the folder, ranks, and the options of a training.
        evaluate: prints results; takes the folder, splits, other data, registry, whether to print JSON, and
            columns to group rows by.
        report: writes the page, and returns where; takes the folder, the file, registry, examples in memory,
            and columns to group rows by, if it is a run.
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
    resume="mlpkit.verbs.run.resume:resume_run",
    evaluate="mlpkit.verbs.run.evaluate_command:print_run",
    report="mlpkit.verbs.report.report:write_run_page",
)
ENSEMBLE_RUN: Final = Kind(
    "ensemble",
    True,
    "the run of an ensemble",
    group="mlpkit.groups.folders:EnsembleFolder",
    resume="mlpkit.verbs.run.group_runs:resume_members",
    evaluate="mlpkit.verbs.run.evaluate_command:print_run",
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
    report="mlpkit.verbs.report.report:write_seeds_page",
    python="mlpkit.resume_seeds",
)
SWEEP_FOLDER: Final = Kind(
    "sweep",
    False,
    "the trials of a sweep",
    marker=SWEEP,  # without a group: trials are numbered, but each may be several runs
    resume="mlpkit.verbs.sweep.training:resume",
    evaluate="mlpkit.verbs.run.evaluate_command:print_run",  # which refuses it, and names its trials
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
    """Return the run folders in a run, by number: of its seeds, or of the networks of its ensemble, or just its own."""
    kind = kind_of(directory)
    if kind is None or not kind.group:
        return {0: directory}
    members: dict[int, Path] = load(kind.group).open(directory).members
    return members


def runs_in(directory: Path) -> list[Path]:
    """Return the run folders in a folder; in one of a kind, such as a sweep, also those of the groups in it."""
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
    """Return the folder of a run, or raise ``UsageError`` if no folder keeps it."""
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
    """Raise ``UsageError`` if a run is that of an ensemble, for a command that examines a single network."""
    if kind_of(directory) is ENSEMBLE_RUN:
        member = shlex.quote(str(directory / MEMBERS / "0"))
        raise UsageError(f"{directory}: is an ensemble; give one of its networks: mlpkit {verb} {member}")
