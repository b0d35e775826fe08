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
    """How far the best trial is ahead of the next one with other values, or of the unchanged spec.

    The best of many is often a lucky one. Yet against the next one, the p-value needs no correction for their number:
    the two-sided test of the first against the second is a test of whether the first is truly the best of all, if the
    results of all trials are normal with equal variance. Against the unchanged spec, it is corrected by Bonferroni's
    method for the trials that the best was chosen from, and so is the interval.

    Args:
        trial: the number of the best trial.
        over: the number of the other one.
        by: how much better the result of the best is; at least 0.
        paired_by: what the two are compared by, ``seed`` or ``fold``; empty if each has a single result.
        low: lower end of the 95 % interval of how much better the best is; None without a comparison.
        high: its upper end.
        p_value: how likely chance alone makes the best lead by so much.
        chosen_from: how many trials the best was chosen from, if the other is the unchanged spec.

    Source: Hung and Fithian, Rank verification for exponential families, Annals of Statistics 47 (2019).
    """

    trial: int
    over: int
    by: float
    paired_by: str = ""
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    chosen_from: int | None = None

    @property
    def beyond_chance(self) -> bool | None:
        """Whether the lead is more than chance; None if that is unknown."""
        return None if self.p_value is None else self.p_value < 1 - LEVEL

    def __str__(self) -> str:
        other = f"trial {self.over}" if self.chosen_from is None else f"the unchanged spec, trial {self.over},"
        if not self.by:
            return f"trial {self.trial} and {other.removesuffix(',')} are equally good"
        lead = f"trial {self.trial} leads {other} by {figure(self.by)}"
        if self.p_value is None or self.low is None or self.high is None:
            return f"{lead}, which may be chance; a sweep with seeds or folds can tell"
        verdict = "more than chance" if self.beyond_chance else "which may be chance"
        low, high = (signed(end, self.high - self.low) for end in (self.low, self.high))
        test = f"{self.paired_by} by {self.paired_by}, paired t-test, 95 %: {low} to {high}"
        if self.chosen_from is not None and self.chosen_from > 1:
            test += f", corrected for the choice from {self.chosen_from} trials by Bonferroni's method"
        return f"{lead}, {verdict}, p {probability(self.p_value)} ({test})"

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "beyond_chance": self.beyond_chance}


def lead_of(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Margin | None:
    """Return how far the best trial by the first objective is ahead; None if none with other values is finished."""
    objective, in_order = objectives[0], ranked(trials, objectives)
    second = next((trial for trial in in_order if trial.values != in_order[0].values), None)
    return None if second is None else _lead(in_order[0], second, objective)


def lead_over_baseline(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Margin | None:
    """Return how far the best trial by the first objective is ahead of trial 0; None if that is it, or has none."""
    in_order = ranked(trials, objectives)
    baseline = next((trial for trial in in_order[1:] if trial.number == 0), None)
    return None if baseline is None else _lead(in_order[0], baseline, objectives[0], chosen_from=len(trials) - 1)


def _lead(best: Trial, second: Trial, objective: Objective, chosen_from: int | None = None) -> Margin:
    results = [objective.cost(trial.results[objective.key]) for trial in (second, best)]
    by = 0.0 if math.isclose(*results, rel_tol=ROUNDING) else results[0] - results[1]
    of_best, of_second = (_costs(trial, objective) for trial in (best, second))
    shared = [number for number in of_best if number in of_second]
    if len(shared) < 2:
        return Margin(best.number, second.number, by, chosen_from=chosen_from)
    folds = kind_of(best.directory) is ENSEMBLE_RUN
    pairs = [[costs[number] for number in shared] for costs in (of_second, of_best)]
    count = chosen_from or 1
    found = difference(*pairs, paired=True, folds=folds, level=1 - (1 - LEVEL) / count)
    p_value = None if found.p_value is None else min(1.0, count * found.p_value)
    paired_by = "fold" if folds else "seed"
    return Margin(best.number, second.number, by, paired_by, found.low, found.high, p_value, chosen_from)


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
