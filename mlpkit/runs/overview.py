"""A run folder at a glance: its state, its progress, its evaluations and results.

As few bytes are read as possible, and neither NumPy nor a plugin is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from mlpkit.errors import MlpkitError, RunFolderError
from mlpkit.runs import json_files, layout
from mlpkit.runs.files import folders_in, reading_error
from mlpkit.runs.kinds import ENSEMBLE_RUN, RunIdentity, is_run_folder, kind_of, read_identity
from mlpkit.runs.writer_lock import writer_of

RUNNING: Final = "running"
STOPPED: Final = "stopped"
FINISHED: Final = "finished"
PRUNED, DIVERGED, FAILED = json_files.ENDED_EARLY
DAMAGED: Final = "damaged"
STATES: Final = (RUNNING, STOPPED, FINISHED, PRUNED, DIVERGED, FAILED, DAMAGED)
"""What a run can be; one that was stopped, by a signal or a crash, can be resumed, and so can a pruned trial."""

BY_URGENCY: Final = (RUNNING, DAMAGED, DIVERGED, FAILED, STOPPED, FINISHED, PRUNED)
"""The same, the ones that ask most for attention first."""


class RunOverview(NamedTuple):
    """A run at a glance.

    Args:
        directory: the run folder.
        state: one of ``STATES``.
        problem: what is wrong with a damaged folder, or why a run failed; empty if nothing is.
        spec: the spec's name.
        seed: the seed of the run.
        settings: a digest of the resolved spec without its seed: runs of the same digest differ in the seed alone.
        began: when it began, in seconds since 1970.
        changed: when its results changed last.
        steps: steps done, as the folder knows.
        total: steps of the whole run; None if that isn't known yet, or the clock ends the run.
        last: the last evaluation.
        results: loss and metrics at the end by split, without tables; empty if the run is not finished.
    """

    directory: Path
    state: str
    problem: str = ""
    spec: str = ""
    seed: int | None = None
    settings: str = ""
    began: float = 0.0
    changed: float = 0.0
    steps: int = 0
    total: int | None = None
    last: Mapping[str, float] = MappingProxyType({})
    results: Mapping[str, Mapping[str, float]] = MappingProxyType({})


def overview_of(directory: Path) -> RunOverview:
    """Return a run at a glance; a damaged folder has the problem in place of results."""
    try:
        names = set(os.listdir(directory))  # noqa: PTH208 - names are all that is needed
    except OSError as error:
        return RunOverview(directory, DAMAGED, str(reading_error(directory, error, RunFolderError, action="listed")))
    running = layout.WRITER in names and bool(writer_of(directory))
    try:
        found = _read(directory, names, running)
        return _with_networks(found) if layout.MEMBERS in names and kind_of(directory) is ENSEMBLE_RUN else found
    except MlpkitError as error:
        began, changed = _times(directory, names)
        return RunOverview(directory, DAMAGED, str(error), began=began, changed=changed)


def _with_networks(found: RunOverview) -> RunOverview:
    """Return the run of an ensemble with the steps of its networks together, and with what went wrong with one."""
    networks = [overview_of(folder) for folder in folders_in(found.directory / layout.MEMBERS) if is_run_folder(folder)]
    totals = [each.total for each in networks if each.total is not None]
    total = sum(totals) if len(totals) == len(networks) else None
    found = found._replace(steps=sum(each.steps for each in networks), total=total)
    failed = next((each for each in networks if each.state in {DIVERGED, FAILED, DAMAGED}), None)
    if failed is None or found.state != STOPPED:
        return found
    return found._replace(state=failed.state, problem=f"network {failed.directory.name}: {failed.problem}")


def _read(directory: Path, names: Collection[str], running: bool) -> RunOverview:
    finished = layout.METRICS in names
    _require_files(directory, names, finished, running)
    run = read_identity(directory) if layout.RESOLVED in names else RunIdentity()
    history = json_files.read_evaluations(directory / layout.HISTORY)
    last = history[-1] if history else {}
    path = directory / layout.METRICS
    metrics = json_files.checked_metrics(path, json_files.read_object(path)) if finished else {}
    path, failed = directory / layout.FAILURE, layout.FAILURE in names and not running and not finished
    failure = json_files.checked_failure(path, json_files.read_object(path)) if failed else {}
    began, changed = _times(directory, names)
    checkpoints = [] if finished else layout.checkpoint_steps(directory / layout.CHECKPOINTS)
    return RunOverview(
        directory,
        state=FINISHED if finished else RUNNING if running else failure.get("state", STOPPED),
        problem=failure.get("message", ""),
        spec=run.name,
        seed=run.seed,
        settings=run.digest,
        began=began,
        changed=changed,
        steps=max(int(last.get("iteration", 0)), failure.get("steps", 0), *checkpoints[:1]),
        total=run.total_steps(last),
        last={key: value for key, value in last.items() if json_files.is_result(key)},
        results={
            split: {k: v for k, v in values.items() if json_files.is_number(v)} for split, values in metrics.items()
        },
    )


def _require_files(directory: Path, names: Collection[str], finished: bool, running: bool) -> None:
    """Check that the files of every run exist, once its writer has had the time."""
    begun = not {layout.LOCK, layout.HISTORY, layout.CHECKPOINTS, layout.MODEL}.isdisjoint(
        names
    )  # of several seeds, not all start at once
    later = ((layout.LOCK, layout.MODEL) if finished else (layout.LOCK,)) if begun else ()
    needed = () if running else (layout.SPEC, layout.RESOLVED, *later)
    missing = [name for name in needed if name not in names]
    if missing:
        what = " and no ".join(missing)
        raise RunFolderError(f"{directory}: holds no {what}; restore it from a copy, or start a new run")


def _times(directory: Path, names: Collection[str]) -> tuple[float, float]:
    """Return when a run began, and when its results changed last."""
    first = next((name for name in (layout.LOCK, layout.RESOLVED, layout.SPEC) if name in names), "")
    began = _changed_at(directory / first)
    later = (layout.HISTORY, layout.METRICS, layout.FAILURE)
    return began, max(began, *(_changed_at(directory / name) for name in later))


def _changed_at(path: Path) -> float:
    with suppress(OSError):  # it isn't there, or was removed meanwhile
        return path.stat().st_mtime
    return 0.0
