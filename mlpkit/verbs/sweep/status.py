"""A sweep as another process sees it: what it has come to so far, which driver is at work, and how to stop that."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from mlpkit.errors import RunFolderError, StorageError, UsageError
from mlpkit.runs.kinds import RunArgument, directory_of
from mlpkit.runs.overview import RUNNING, STOPPED
from mlpkit.runs.writer_lock import Writer, writer_of
from mlpkit.verbs.sweep.driver import best_of, planned_in_all
from mlpkit.verbs.sweep.folder import SweepFolder, Trial, require_sweep_folder
from mlpkit.verbs.sweep.section import Objective, SweepSection
from mlpkit.verbs.sweep.specs import as_overrides, spec_of_sweep
from mlpkit.verbs.sweep.sweep import counts_of, plain_trial, planned_trials, written_results

SECONDS_BETWEEN_LOOKS: Final = 0.1
"""At whether a driver has stopped."""


@dataclass(frozen=True, repr=False)
class SweepStatus:
    """What a sweep has come to so far.

    Args:
        folder: its folder.
        objectives: what trials are chosen by.
        trials: the trials so far, in the order of their numbers; a trial that trains now is ``running``.
        planned: how many trials are planned; None if a time ends the sweep, and isn't over.
        best: the best finished trial by the first objective; None if none is finished.
        seconds: how long the sweep has been at work, without breaks.
        left: in how many seconds it may end, if it is at work and that is known; otherwise None.
        driver: the process that is at work on it, with ``pid`` and ``host``; None without any.
    """

    folder: Path
    objectives: Sequence[Objective]
    trials: list[Trial]
    planned: int | None
    best: Trial | None
    seconds: float
    left: float | None
    driver: Writer | None

    def __repr__(self) -> str:
        counts = ", ".join(f"{number} {state}" for state, number in self.counts.items())
        planned = "" if self.planned is None else f" of {self.planned}"
        parts = [f"{len(self.trials)}{planned} trials ({counts})" if counts else f"0{planned} trials"]
        if self.best is not None:
            values = ", ".join(as_overrides(self.best.values))
            parts.append(f"best: trial {self.best.number}, {written_results(self.best, self.objectives)}; {values}")
        parts.append(f"driver: {self.driver}" if self.driver else "no driver running")
        return f"<SweepStatus of {'; '.join(parts)}>"

    @property
    def counts(self) -> dict[str, int]:
        """How many trials are in each state."""
        return counts_of(self.trials)

    @property
    def over(self) -> int:
        """How many trials are over."""
        return sum(_is_over(trial) for trial in self.trials)

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "folder": str(self.folder),
            "driver": self.driver._asdict() if self.driver else None,
            "planned": self.planned,
            "counts": self.counts,
            "best": plain_trial(self.best) if self.best else None,
            "seconds": self.seconds,
            "left": self.left,
        }


def sweep_status(
    directory: RunArgument, *, plugins: Iterable[str | Path | ModuleType] = (), blocked: Iterable[str] = ()
) -> SweepStatus:
    """Return what a sweep has come to so far, be it at work or not, and leave it alone.

    Args:
        directory: the folder that ``sweep`` made, or what it returned.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to leave out.

    Raises:
        RunFolderError: the folder is not that of a sweep, or a file of it can't be read.
        SpecError: a plugin that the spec needs is missing.
    """
    directory = directory_of(directory)
    require_sweep_folder(directory)
    folder = SweepFolder(directory)
    spec = spec_of_sweep(folder, plugins=plugins, blocked=blocked)
    assert isinstance(spec.sweep, SweepSection)
    driver, progress = writer_of(directory), folder.read_progress()
    trials = [
        replace(trial, state=RUNNING) if trial.state == STOPPED and writer_of(trial.directory) else trial
        for trial in folder.trials()
    ]
    planned = planned_in_all(planned_trials(spec.sweep), progress, len(trials))
    over = sum(_is_over(trial) for trial in trials)
    limit = spec.sweep.seconds if progress.trials is None else None
    if limit is not None and progress.seconds >= limit and not progress.added:
        planned = len(trials)  # the time is over, and so none is begun any more
    left = _seconds_left(progress.seconds, over, planned, limit, progress.added) if driver else None
    objectives = spec.sweep.objectives
    return SweepStatus(
        directory, objectives, trials, planned, best_of(trials, objectives), progress.seconds, left, driver
    )


def _is_over(trial: Trial) -> bool:
    return trial.state not in (RUNNING, STOPPED)


def _seconds_left(spent: float, over: int, planned: int | None, limit: float | None, added: int) -> float | None:
    """Return in how many seconds a sweep may end: it begins no trial of the spec after a limit, but the added ones."""
    of_trial = spent / over if over else None
    by_trials = [of_trial * (planned - over)] if planned is not None and of_trial is not None else []
    of_added = 0.0 if not added else of_trial and of_trial * added
    by_time = [max(0.0, limit - spent) + of_added] if limit is not None and of_added is not None else []
    return min([*by_trials, *by_time], default=None)


def stop_sweep(directory: RunArgument) -> bool:
    """Ask the driver of a sweep to stop after the steps that its trials are in, and wait until it has.

    It is asked by a file in the folder, on whatever machine it is, and asking again changes nothing.

    Args:
        directory: the folder that ``sweep`` made, or what it returned.

    Returns:
        Whether a driver was at work.

    Raises:
        RunFolderError: the folder is not that of a sweep, or one may not write there.
        UsageError: this process is the driver.
    """
    directory = directory_of(directory)
    require_sweep_folder(directory)
    folder, driver = SweepFolder(directory), writer_of(directory)
    if driver is None:
        return False
    if driver.is_this_process:
        raise UsageError(f"{directory}: this process is at work on it; end the sweep with its StopRequest, or Ctrl-C")
    while writer_of(directory) is not None:
        try:
            folder.ask_to_stop()  # again, if it has just begun, and has forgotten what an earlier one was asked for
        except StorageError as error:
            raise RunFolderError(
                f"{directory}: can't ask {driver} to stop; press Ctrl-C where it runs: {error}"
            ) from error
        time.sleep(SECONDS_BETWEEN_LOOKS)
    folder.forget_stop()
    return True
