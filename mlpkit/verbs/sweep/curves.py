"""The evaluations of the trials of a sweep, from their folders, as the rules of pruning compare them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import members_of
from mlpkit.runs.layout import HISTORY
from mlpkit.runs.overview import PRUNED, overview_of
from mlpkit.verbs.sweep.folder import number_of
from mlpkit.verbs.sweep.pruning import RULES, Curve, Evaluation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mlpkit.verbs.sweep.folder import Trial
    from mlpkit.verbs.sweep.section import Objective, SweepSection


def rule_for(directory: Path, sweep: SweepSection) -> Callable[[Curve, Sequence[Curve], float], bool] | None:
    """Return the rule that may end a trial; None for the baseline, since others are compared with its result."""
    is_baseline = sweep.baseline and number_of(directory) == 0
    return RULES[sweep.prune] if sweep.prune and not is_baseline else None


def curves_of(trials: Sequence[Path], objective: Objective) -> list[Curve]:
    """Return the evaluations of trials, given their folders; of several runs, those of the first.

    Raises:
        RunFolderError: a file can't be read.
    """
    return [_curve_of(directory, objective) for directory in trials]


def no_longer_weak(trials: Sequence[Trial], sweep: SweepSection) -> Trial | None:
    """Return the pruned trial that the rule wouldn't end any more, as others are over now; of several, the longest.

    Args:
        trials: all trials of a sweep.
        sweep: says the rule.

    Raises:
        RunFolderError: a file can't be read.
    """
    if all(trial.state != PRUNED for trial in trials):
        return None
    curves = curves_of([trial.directory for trial in trials], sweep.objectives[0])
    strong = [
        (curve, trial)
        for curve, trial in zip(curves, trials, strict=True)
        if trial.state == PRUNED and _is_strong(curve, [each for each in curves if each is not curve], trial, sweep)
    ]
    return max(strong, key=lambda each: each[0].evaluations[-1].epoch)[1] if strong else None


def _is_strong(curve: Curve, others: Sequence[Curve], trial: Trial, sweep: SweepSection) -> bool:
    run = _first_run_of(trial.directory)
    rule, total = rule_for(trial.directory, sweep), _total_epochs(run, *_state_of(run))
    return rule is not None and bool(curve.evaluations) and total is not None and not rule(curve, others, total)


def _first_run_of(trial: Path) -> Path:
    return next(iter(members_of(trial).values()))


def _curve_of(trial: Path, objective: Objective) -> Curve:
    run = _first_run_of(trial)
    return _curve(number_of(trial), run, objective, *_state_of(run))


def _state_of(directory: Path) -> tuple[bool, int, int]:
    """Return whether a trial is finished, and size and time of its history, which change whenever the curve does."""
    try:
        history = (directory / HISTORY).stat()
    except OSError:  # it has only begun
        return False, 0, 0
    return RunFolder(directory).finished, history.st_size, history.st_mtime_ns


@lru_cache(maxsize=4096)
def _curve(number: int, directory: Path, objective: Objective, finished: bool, size: int, changed: int) -> Curve:
    """Return the evaluations of a trial, read once for each state of its history.

    Args:
        number: its number.
        directory: its run folder, or the first of several.
        objective: what trials are chosen by.
        finished: whether it is finished.
        size: bytes of its history.
        changed: when that changed last.
    """
    history = [record for record in RunFolder(directory).read_history() if objective.key in record]
    evaluations = [Evaluation(record["epoch"], objective.cost(record[objective.key])) for record in history]
    return Curve(number, evaluations, finished)


@lru_cache(maxsize=4096)
def _total_epochs(run: Path, finished: bool, size: int, changed: int) -> float | None:
    """Return how many epochs a run has; None if its folder doesn't say.

    Args:
        run: its folder.
        finished: whether it is finished.
        size: bytes of its history.
        changed: when that changed last.
    """
    total, history = overview_of(run).total, RunFolder(run).read_history()
    return total * history[-1]["epoch"] / history[-1]["iteration"] if total and history else None
