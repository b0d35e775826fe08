"""The places of trials' values and results on axes from 0 to 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mlpkit.pages.charts import ParallelAxis
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.terminal.figures import figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlpkit.verbs.sweep.folder import Trial
    from mlpkit.verbs.sweep.section import Objective, SearchedKey

MOST_LABELS: Final = 8
"""Of the choices on an axis."""
LETTERS: Final = 44
"""Of all labels of an axis together, so that they fit on a phone."""


@dataclass(frozen=True)
class Scale:
    """An axis, and the places of trials on it.

    Args:
        axis: the axis.
        place: returns the place of a trial, from 0 to 1; None if it has none.
    """

    axis: ParallelAxis
    place: Callable[[Trial], float | None]


def scale_of_key(key: str, name: str, searched: SearchedKey) -> Scale:
    """Return the scale of a searched key: choices side by side, or the range, logarithmic if the search is."""
    if searched.choices is not None:
        return _scale_of_choices(key, name, searched.choices)
    low, high = searched.ends
    place = _place_between(low, high, searched.log)
    middle = _middle(low, high, searched.log)
    rounded = round(middle) if searched.of_integers else float(f"{middle:.2g}")
    ticks = [(place(number), f"{number:.4g}") for number in (low, rounded, high)]

    def place_of(trial: Trial) -> float | None:
        value = trial.values.get(key)
        return place(value) if isinstance(value, int | float) else None  # once the search was edited, it may be none

    return Scale(ParallelAxis(f"{name} (log)" if searched.log else name, ticks), place_of)


def _scale_of_choices(key: str, name: str, choices: Sequence[object]) -> Scale:
    """Return a scale with a place for each choice; of many, not all are labelled."""
    count = len(choices)
    places = {repr(choice): i / (count - 1) if count > 1 else 0.5 for i, choice in enumerate(choices)}
    every = math.ceil(count / MOST_LABELS)
    labels = [to_inline_yaml(choice) for choice in choices]
    longest = LETTERS // math.ceil(count / every)
    ticks = [
        (place, label if len(label) <= longest else f"{label[: longest - 1]}…")
        for i, (place, label) in enumerate(zip(places.values(), labels, strict=True))
        if i % every == 0
    ]
    return Scale(ParallelAxis(name, ticks), lambda trial: places.get(repr(trial.values.get(key))))


def scale_of_objective(objective: Objective, trials: Sequence[Trial]) -> Scale:
    """Return the scale of a result, from the lowest to the highest of some trials; that of a loss is logarithmic."""
    results = [trial.results[objective.key] for trial in trials if objective.key in trial.results]
    low, high = (min(results), max(results)) if results else (0.0, 1.0)
    log = objective.name == "loss" and low > 0
    place = _place_between(low, high, log)
    numbers = (low, _middle(low, high, log), high) if low < high else (low,)

    def place_of(trial: Trial) -> float | None:
        return place(trial.results[objective.key]) if objective.key in trial.results else None

    how = f"{'log; ' if log else ''}{'higher' if objective.maximize else 'lower'} is better"
    return Scale(ParallelAxis(f"{objective.key} ({how})", [(place(each), figure(each)) for each in numbers]), place_of)


def _middle(low: float, high: float, log: bool) -> float:
    return math.sqrt(low * high) if log else (low + high) / 2


def _place_between(low: float, high: float, log: bool) -> Callable[[float], float]:
    """Return a function that gives the place of a number between two others."""

    def place(number: float) -> float:
        if low == high:
            return 0.5
        bounded = min(max(number, low), high)
        if log:
            return math.log(bounded / low) / math.log(high / low)
        return (bounded - low) / (high - low)

    return place
