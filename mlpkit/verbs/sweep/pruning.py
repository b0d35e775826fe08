"""Which trials are so weak that they end early: rules that compare their evaluations, from the folders of trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import members_of
from mlpkit.runs.layout import HISTORY
from mlpkit.runs.overview import PRUNED, overview_of
from mlpkit.verbs.sweep.folder import Trial, number_of
from mlpkit.verbs.sweep.section import Objective, SweepSection

FEWEST_FINISHED: Final = 5
"""Finished trials that the median rule needs to judge another."""

REDUCTION: Final = 3
"""Of this many trials at a rung, the best continues."""

ROUNDING: Final = 1e-9
"""Epochs are quotients of integers, which are rounded."""


class Evaluation(NamedTuple):
    """The passes over the training data before an evaluation, and the objective, so that lower is better."""

    epoch: float
    cost: float


class Curve(NamedTuple):
    """The evaluations of a trial."""

    number: int
    evaluations: Sequence[Evaluation]
    finished: bool = False

    def before(self, epoch: float) -> float | None:
        """Return the cost of the last evaluation up to an epoch; None if the trial didn't get there."""
        if not self.evaluations or self.evaluations[-1].epoch < epoch - ROUNDING:
            return None
        found = [each.cost for each in self.evaluations if each.epoch <= epoch + ROUNDING]
        return found[-1] if found else None

    def after(self, epoch: float) -> float | None:
        """Return the cost of the first evaluation from an epoch on; None if the trial didn't get there."""
        return next((each.cost for each in self.evaluations if each.epoch >= epoch - ROUNDING), None)


def is_worse_than_median(trial: Curve, others: Sequence[Curve], total: float) -> bool:
    """Whether the best evaluation of a trial is worse than the median of the finished trials after as many epochs.

    Source: Golovin et al., Google Vizier: A Service for Black-Box Optimization (2017), section 3.2.1, with the medians
        of the evaluations in place of the medians of their running means.
    """
    epoch = trial.evaluations[-1].epoch
    costs = [cost for other in others if other.finished and (cost := other.before(epoch)) is not None]
    return len(costs) >= FEWEST_FINISHED and min(each.cost for each in trial.evaluations) > median(costs)


def is_stopped_at_rung(trial: Curve, others: Sequence[Curve], total: float) -> bool:
    """Whether a trial has come to a rung, and is not in the best third of the trials of its bracket that have, too.

    The rungs of bracket b are at r η^(b + k) epochs, for k = 0, 1, ..., where r is that of the first evaluation; the
    brackets get as many trials as in Hyperband, in turn.

    Source: Li et al., Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization (2018); and Li et al., A
        System for Massively Parallel Hyperparameter Tuning (2020), for trials that don't wait for one another.
    """
    first, now = trial.evaluations[0].epoch, trial.evaluations[-1]
    brackets = 1 + max(0, math.floor(math.log(total / first, REDUCTION) + ROUNDING))
    bracket = bracket_of(trial.number, brackets)
    earlier = trial.evaluations[-2].epoch if len(trial.evaluations) > 1 else 0.0
    rungs = [first * REDUCTION**k for k in range(bracket, brackets)]
    reached = [rung for rung in rungs if earlier + ROUNDING < rung <= now.epoch + ROUNDING and rung < total - ROUNDING]
    if not reached:
        return False
    rivals = [other for other in others if bracket_of(other.number, brackets) == bracket]
    costs = [cost for rival in rivals if (cost := rival.after(reached[-1])) is not None]
    better = sum(cost < now.cost for cost in costs)
    return better >= max(1, (len(costs) + 1) // REDUCTION)


def bracket_of(number: int, brackets: int) -> int:
    """Return the bracket of a trial: the lower, the earlier are its trials judged, and the more it gets of them."""
    order = _order_of_brackets(brackets)
    return order[number % len(order)]


@lru_cache(maxsize=8)
def _order_of_brackets(brackets: int) -> list[int]:
    """Return the brackets of trials in turn: each trial goes to the bracket that is furthest below its share so far."""
    shares = [math.ceil(brackets * REDUCTION ** (brackets - 1 - b) / (brackets - b)) for b in range(brackets)]
    order: list[int] = []
    counts = [0] * brackets
    for number in range(1, sum(shares) + 1):
        lacking = [number * share / sum(shares) - count for share, count in zip(shares, counts, strict=True)]
        bracket = lacking.index(max(lacking))
        counts[bracket] += 1
        order.append(bracket)
    return order


RULES: Final[Mapping[str, Callable[[Curve, Sequence[Curve], float], bool]]] = {
    "median": is_worse_than_median,
    "hyperband": is_stopped_at_rung,
}
"""What the names in a spec stand for."""


def curve_of(trial: Path, objective: Objective) -> Curve:
    """Return the evaluations of a trial, given its folder; of several runs, the evaluations of the first."""
    run = _first_run_of(trial)
    return _curve(number_of(trial), run, objective, *_state_of(run))


def no_longer_weak(trials: Sequence[Trial], sweep: SweepSection) -> Trial | None:
    """Return the pruned trial that the rule wouldn't end any more, as others are over now; of several, the longest."""
    if sweep.prune is None or all(trial.state != PRUNED for trial in trials):
        return None
    curves = [curve_of(trial.directory, sweep.objectives[0]) for trial in trials]
    strong = []
    for curve, trial in zip(curves, trials, strict=True):
        if trial.state == PRUNED and curve.evaluations:
            others, run = [each for each in curves if each is not curve], _first_run_of(trial.directory)
            total = _total_epochs(run, *_state_of(run))
            if total is not None and not RULES[sweep.prune](curve, others, total):
                strong.append((curve.evaluations[-1].epoch, trial))
    return max(strong, key=lambda each: each[0])[1] if strong else None


def _first_run_of(trial: Path) -> Path:
    return next(iter(members_of(trial).values()))


def _state_of(directory: Path) -> tuple[bool, int, int]:
    """Return whether a trial is finished, and size and time of its history, which change whenever the curve does."""
    try:
        history = (directory / HISTORY).stat()
    except OSError:  # it has only begun
        return False, 0, 0
    return RunFolder(directory).finished, history.st_size, history.st_mtime_ns


@lru_cache(maxsize=4096)
def _curve(number: int, directory: Path, objective: Objective, finished: bool, size: int, changed: int) -> Curve:
    """Return the evaluations of a trial, read once for each state of its history; see ``_state_of``."""
    history = [record for record in RunFolder(directory).read_history() if objective.key in record]
    evaluations = [Evaluation(record["epoch"], objective.cost(record[objective.key])) for record in history]
    return Curve(number, evaluations, finished)


@lru_cache(maxsize=4096)
def _total_epochs(run: Path, finished: bool, size: int, changed: int) -> float | None:
    """Return how many epochs a run has, read once for each state; None if its folder doesn't have it."""
    total, history = overview_of(run).total, RunFolder(run).read_history()
    return total * history[-1]["epoch"] / history[-1]["iteration"] if total and history else None
