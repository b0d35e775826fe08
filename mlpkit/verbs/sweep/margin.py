"""By how much the best trial of a sweep leads, and whether that is more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import ENSEMBLE_RUN, kind_of, members_of
from mlpkit.runs.layout import OUT_OF_FOLD, has_file
from mlpkit.statistics import difference
from mlpkit.terminal.figures import figure, probability, signed
from mlpkit.verbs.sweep.driver import ranked
from mlpkit.verbs.sweep.folder import Trial
from mlpkit.verbs.sweep.section import Objective

LEVEL: Final = 0.95

ROUNDING: Final = 1e-12
"""Relative difference of two means that are equal but for the rounding of their sums."""


@dataclass(frozen=True)
class Margin:
    """How far the best trial is ahead of the next one with other values.

    The best of many is often a lucky one. Yet against the next one, the p-value needs no correction for their number:
    the two-sided test of the first against the second is a test of whether the first is truly the best of all, if the
    results of all trials are normal with equal variance.

    Args:
        trial: the number of the best trial.
        over: the number of the other one.
        by: how much better the result of the best is; at least 0.
        paired_by: what the two are compared by, ``seed`` or ``fold``; empty if each has a single result.
        low: lower end of the 95 % interval of how much better the best is; None without a comparison.
        high: its upper end.
        p_value: how likely chance alone makes the best lead by so much.

    Source: Hung and Fithian, Rank verification for exponential families, Annals of Statistics 47 (2019).
    """

    trial: int
    over: int
    by: float
    paired_by: str = ""
    low: float | None = None
    high: float | None = None
    p_value: float | None = None

    @property
    def beyond_chance(self) -> bool | None:
        """Whether the lead is more than chance; None if that is unknown."""
        return None if self.p_value is None else self.p_value < 1 - LEVEL

    def __str__(self) -> str:
        if not self.by:
            return f"trial {self.trial} and trial {self.over} are equally good"
        lead = f"trial {self.trial} leads trial {self.over} by {figure(self.by)}"
        if self.p_value is None or self.low is None or self.high is None:
            return f"{lead}, which may be chance; a sweep with seeds or folds can tell"
        verdict = "more than chance" if self.beyond_chance else "which may be chance"
        low, high = (signed(end, self.high - self.low) for end in (self.low, self.high))
        test = f"{self.paired_by} by {self.paired_by}, paired t-test, 95 %: {low} to {high}"
        return f"{lead}, {verdict}, p {probability(self.p_value)} ({test})"

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "beyond_chance": self.beyond_chance}


def lead_of(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Margin | None:
    """Return how far the best trial by the first objective is ahead; None if none with other values is finished."""
    objective, in_order = objectives[0], ranked(trials, objectives)
    second = next((trial for trial in in_order if trial.values != in_order[0].values), None)
    return None if second is None else _lead(in_order[0], second, objective)


def _lead(best: Trial, second: Trial, objective: Objective) -> Margin:
    results = [objective.cost(trial.results[objective.key]) for trial in (second, best)]
    by = 0.0 if math.isclose(*results, rel_tol=ROUNDING) else results[0] - results[1]
    of_best, of_second = (_costs(trial, objective) for trial in (best, second))
    shared = [number for number in of_best if number in of_second]
    if len(shared) < 2:
        return Margin(best.number, second.number, by)
    folds = kind_of(best.directory) is ENSEMBLE_RUN
    pairs = [[costs[number] for number in shared] for costs in (of_second, of_best)]
    found = difference(*pairs, paired=True, folds=folds, level=LEVEL)
    return Margin(best.number, second.number, by, "fold" if folds else "seed", found.low, found.high, found.p_value)


def _costs(trial: Trial, objective: Objective) -> dict[int, float]:
    """Return the objective of each seed or fold of a trial, so that lower is better.

    An ensemble of members has a single result, that of the average, and so nothing to compare pair by pair.
    """
    out_of_fold = objective.split == "validation" and has_file(trial.directory, OUT_OF_FOLD)
    if kind_of(trial.directory) is ENSEMBLE_RUN and not out_of_fold:
        return {}
    metrics = {number: RunFolder(run).read_metrics() for number, run in members_of(trial.directory).items()}
    values = {number: each.get(objective.split, {}).get(objective.name) for number, each in metrics.items()}
    return {number: objective.cost(float(value)) for number, value in values.items() if value is not None}
