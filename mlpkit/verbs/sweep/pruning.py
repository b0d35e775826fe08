"""Which trials are so weak that they end early: rules that compare a trial's evaluations with those of the others."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FEWEST_FINISHED: Final = 5
"""Finished trials that the median rule needs to judge another."""

REDUCTION: Final = 3
"""Of so many trials at a rung, the best goes on."""

ROUNDING: Final = 1e-9
"""Epochs are quotients of integers, which are rounded."""


class Evaluation(NamedTuple):
    """An evaluation of a trial.

    Args:
        epoch: passes over the training data that are done.
        cost: the objective, so that lower is better.
    """

    epoch: float
    cost: float


class Curve(NamedTuple):
    """The evaluations of a trial.

    Args:
        number: its number.
        evaluations: in their order.
        finished: whether it trained to its end.
    """

    number: int
    evaluations: Sequence[Evaluation]
    finished: bool = False

    def before(self, epoch: float) -> float | None:
        """Return the cost of the last evaluation up to an epoch; None if the trial did not get there."""
        if not self.evaluations or self.evaluations[-1].epoch < epoch - ROUNDING:
            return None
        found = [each.cost for each in self.evaluations if each.epoch <= epoch + ROUNDING]
        return found[-1] if found else None

    def after(self, epoch: float) -> float | None:
        """Return the cost of the first evaluation from an epoch on; None if the trial did not get there."""
        return next((each.cost for each in self.evaluations if each.epoch >= epoch - ROUNDING), None)


def is_worse_than_median(trial: Curve, others: Sequence[Curve], total: float) -> bool:
    """Whether the best evaluation of a trial is worse than the median of the finished trials after as many epochs.

    Args:
        trial: the trial so far.
        others: the other trials.
        total: epochs of the whole training.

    Source: Golovin et al., Google Vizier: A Service for Black-Box Optimization (2017), section 3.2.1, with the medians
        of the evaluations in place of those of their running means.
    """
    epoch = trial.evaluations[-1].epoch
    costs = [cost for other in others if other.finished and (cost := other.before(epoch)) is not None]
    return len(costs) >= FEWEST_FINISHED and min(each.cost for each in trial.evaluations) > median(costs)


def is_stopped_at_rung(trial: Curve, others: Sequence[Curve], total: float) -> bool:
    """Whether a trial has come to a rung, and is not in the best third of the trials of its bracket that have, too.

    The rungs of bracket b are at r η^(b + k) epochs, for k = 0, 1, ..., where r is that of the first evaluation; the
    brackets get as many trials as in Hyperband, in turn.

    Args:
        trial: the trial so far.
        others: the other trials.
        total: epochs of the whole training.

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
    """Return the brackets of trials in turn: each trial is of the bracket that lacks most of its share so far."""
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
