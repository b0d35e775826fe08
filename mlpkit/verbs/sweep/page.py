"""A page about a sweep: its best trials, what each key did, and the curves of all."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.components.schema.wording import counted
from mlpkit.groups.several_runs import listed_runs
from mlpkit.pages import charts
from mlpkit.pages.charts import ParallelAxis, ParallelLine
from mlpkit.pages.evaluations import rows_worth_reading, wants_logarithms
from mlpkit.pages.page import page
from mlpkit.pages.parts import beside, folded, paragraph, preformatted, section, table
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import write_atomically
from mlpkit.runs.kinds import ENSEMBLE_RUN, kind_of
from mlpkit.runs.layout import BEST, SWEEP
from mlpkit.runs.overview import DIVERGED, FAILED, FINISHED, PRUNED
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.terminal.figures import figure
from mlpkit.verbs.sweep.driver import ranked
from mlpkit.verbs.sweep.folder import SweepFolder, Trial, history_of
from mlpkit.verbs.sweep.section import Objective, SearchedKey, SweepSection
from mlpkit.verbs.sweep.specs import short_keys, spec_of_sweep
from mlpkit.verbs.sweep.sweep import Sweep, sum_up, written_results

MOST_LABELS: Final = 8
"""Of the choices on an axis."""
LETTERS: Final = 44
"""Of all labels of an axis together, so that they fit on a phone."""


@dataclass(frozen=True)
class Scale:
    """An axis, and what returns the place of a trial on it, from 0 to 1; None if it has none."""

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

    title = _with_direction(objective, "log; " if log else "")
    return Scale(ParallelAxis(title, [(place(each), figure(each)) for each in numbers]), place_of)


def _middle(low: float, high: float, log: bool) -> float:
    return math.sqrt(low * high) if log else (low + high) / 2


def _place_between(low: float, high: float, log: bool) -> Callable[[float], float]:
    """Return a function that gives the place of a number between two others."""
    distance = (lambda number: math.log(number / low)) if log else (lambda number: number - low)
    return lambda number: 0.5 if low == high else distance(min(max(number, low), high)) / distance(high)


MOST_BEST: Final = 10
"""Rows of the table of the best."""
MOST_LISTED: Final = 400
"""Rows of the table of all trials."""
MOST_LINES: Final = 100
"""Trials that the charts show."""
MOST_POINTS: Final = 4000
"""Points of all curves, if that leaves each curve enough."""
ENOUGH_POINTS: Final = 10
WEAK: Final = (PRUNED, DIVERGED)
OTHERS: Final = "the others"

FEWEST_TRIALS: Final = 8
QUARTERS: Final = (0.25, 0.5, 0.75)
EXPLANATION: Final = (
    "Trials are ranked by the objective; pruned and diverged trials share the last rank. The importance of a key is "
    "the share of the ranks' variance between groups of its values, minus the average share due to chance: 0 if the "
    "key makes no difference, 100 % if it alone decides. A group is a choice, or a quarter of the trials by a number's "
    "size. Interactions of keys aren't measured."
)


def write_sweep_page(directory: Path, file: Path, registry: Registry, *_: object) -> Path:
    """Write a page about a sweep, and return where it is; the sweep may be at work. See ``mlpkit.report``."""
    folder = SweepFolder(directory)
    spec = spec_of_sweep(folder, **registry.arguments())
    assert isinstance(spec.sweep, SweepSection)
    found = sum_up(folder, spec)
    parts = [
        _outcome_section(found),
        *_sections_about_trials(found, spec.sweep.search),
        section("Spec", folded(SWEEP, preformatted(spec.document.text))),
    ]
    write_atomically(file, page(f"{spec.name}: {counted(len(found.trials), 'trial')}", parts).encode())
    return file


def _outcome_section(found: Sweep) -> str:
    """Return the result of the sweep, and how to resume it."""
    counts = ", ".join(f"{number} {state}" for state, number in found.counts.items()) or "none has started"
    waiting = [trial.number for trial in found.trials if not trial.over]
    failed = [[str(trial.number), trial.problem] for trial in found.trials if trial.state == FAILED]
    parts = [paragraph(f"Trials: {counts}."), *_best_in_words(found)]
    if waiting:
        unfinished = listed_runs(waiting, "trial")
        parts.append(paragraph(f"Not finished: {unfinished}; unless the sweep is still running, resume it with:"))
        parts.append(preformatted(f"mlpkit sweep --resume {shlex.quote(str(found.folder))}"))
    if failed:
        parts.append(table(["trial", "why it failed"], failed[:MOST_BEST], texts=[1]))
    return section("Result", *parts)


def _best_in_words(found: Sweep) -> list[str]:
    if found.best is None:
        return []
    first = found.objectives[0]
    result = f"the {'highest' if first.maximize else 'lowest'} {first.key}, {figure(found.best.results[first.key])}"
    lead = f" In the sweep, {found.lead}." if found.lead else ""
    parts = [paragraph(f"Trial {found.best.number} has {result}.{lead} The best of many trials is often a lucky one.")]
    file = found.folder / BEST
    if not file.is_file() or kind_of(found.best.directory) is ENSEMBLE_RUN:  # the sweep is at work, or was interrupted
        return parts
    commands = f"mlpkit run {shlex.quote(str(file))} --seeds 3"
    return [*parts, paragraph("To confirm it, train it with other seeds:"), preformatted(commands)]


def _sections_about_trials(found: Sweep, search: Mapping[str, SearchedKey]) -> list[str]:
    """Return the sections about the trials; most sections need finished ones."""
    best = ranked(found.trials, found.objectives)
    if not best:
        return [section("Trials", _trials_table(found, found.trials, "All trials"))] if found.trials else []
    return [
        section("The best", _trials_table(found, best[:MOST_BEST], "The best finished trials", marked=0)),
        *([_front_section(found)] if len(found.objectives) > 1 else []),
        _coordinates_section(found, search, best),
        _importance_section(found, search),
        _curves_section(found, best),
    ]


def _trials_table(found: Sweep, trials: Sequence[Trial], caption: str, marked: int | None = None) -> str:
    """Return a table of trials with what they are chosen by, and their values; with their states, if these differ."""
    keys = list(dict.fromkeys(key for trial in found.trials for key in trial.values))
    objectives = [each.key for each in found.objectives]
    with_state = any(trial.state != FINISHED for trial in trials)
    rows, sorted_by = [], []
    for trial in trials[:MOST_LISTED]:
        results = [trial.results.get(key) for key in objectives]
        values = [to_inline_yaml(trial.values[key]) if key in trial.values else "" for key in keys]
        state = [trial.state] if with_state else []
        shown = ["" if result is None else figure(result) for result in results]
        rows.append([str(trial.number), *shown, *values, *state])
        sorted_by.append([trial.number, *results, *values, *state])
    titles = ["trial", *objectives, *short_keys(keys), *(["state"] if with_state else [])]
    kinds = {key: {type(trial.values[key]) for trial in found.trials if key in trial.values} for key in keys}
    words = [1 + len(objectives) + i for i, key in enumerate(keys) if not kinds[key] <= {int, float}]
    texts = [*words, *([len(titles) - 1] if with_state else [])]
    return table(titles, rows, caption=caption, texts=texts, marked=marked, sortable=True, values=sorted_by)


def _front_section(found: Sweep) -> str:
    """Return charts of the first objective and each other, and the trials of the Pareto front."""
    first, *others = found.objectives
    best = sorted(found.front, key=lambda trial: first.cost(trial.results[first.key]))
    text = "No trial beats one on the Pareto front by one objective without being worse by another."
    figures = [_front_figure(found, first, other) for other in others] if best else []
    return section("Pareto front", paragraph(text), beside(*figures), _trials_table(found, best, "The Pareto front"))


def _front_figure(found: Sweep, first: Objective, other: Objective) -> str:
    """Return a chart of two objectives, with the finished trials."""
    names, front = ("other trials", "Pareto front"), {trial.number for trial in found.front}
    shown = [each for each in found.trials if each.state == FINISHED and {first.key, other.key} <= {*each.results}]
    values = [
        {"trial": trial.number}
        | {key: trial.results[key] for key in (first.key, other.key)}
        | {"series": names[trial.number in front]}
        for trial in sorted(shown, key=lambda trial: trial.number in front)[-MOST_LINES:]  # the last are drawn above
    ]
    titles = (_with_direction(first), _with_direction(other))
    chart = charts.points(values, first.key, other.key, titles=titles, series=names)
    return charts.figure(f"{first.key} and {other.key}", chart)


def _with_direction(objective: Objective, scale: str = "") -> str:
    return f"{objective.key} ({scale}{'higher' if objective.maximize else 'lower'} is better)"


def _coordinates_section(found: Sweep, search: Mapping[str, SearchedKey], best: Sequence[Trial]) -> str:
    """Return parallel coordinates of searched keys and objectives, and the table of all trials."""
    weak = [trial for trial in found.trials if trial.state in WEAK]
    shown = best[:MOST_LINES]
    scales = [scale_of_key(key, name, search[key]) for key, name in zip(search, short_keys([*search]), strict=True)]
    lines = [_line(trial, scales, None, trial.state) for trial in weak[: MOST_LINES - len(shown)]]
    scales += (scale_of_objective(each, shown) for each in found.objectives)
    lines += (
        _line(trial, scales, place / max(1, len(shown) - 1), written_results(trial, found.objectives))
        for place, trial in reversed([*enumerate(shown)])
    )
    text = f"A line for each trial, from its values to its result: orange for the best, trial {best[0].number}, and "
    text += "the bluer, the better. Dotted: pruned or diverged." if weak else "the bluer, the better."
    if len(lines) < len(best) + len(weak):
        text += f" These are the {len(lines)} best of {len(best) + len(weak):,}."
    chart = charts.parallel([scale.axis for scale in scales], lines, marked=_name(best[0]))
    ranks = {trial.number: place for place, trial in enumerate(best)}
    every = sorted(found.trials, key=lambda trial: ranks.get(trial.number, len(best)))
    numbers = _trials_table(found, every, "All trials")
    return section("Values and results", paragraph(text), charts.figure("Values of the trials", chart, numbers))


def _line(trial: Trial, scales: Sequence[Scale], shade: float | None, outcome: str) -> ParallelLine:
    shown = {"trial": str(trial.number), "result": outcome}
    return charts.ParallelLine(_name(trial), [scale.place(trial) for scale in scales], shade, shown)


def _name(trial: Trial) -> str:
    return f"trial {trial.number}"


def _importance_section(found: Sweep, search: Mapping[str, SearchedKey]) -> str:
    """Return the importance of each key by each objective."""
    figures = []
    for objective in found.objectives:
        costs = {
            trial.number: math.inf if trial.state in WEAK else objective.cost(trial.results[objective.key])
            for trial in found.trials
            if trial.state in WEAK or (trial.state == FINISHED and objective.key in trial.results)
        }
        shares = {}
        for key, name in zip(search, short_keys([*search]), strict=True):
            trials = [trial for trial in found.trials if trial.number in costs and key in trial.values]
            values = [trial.values[key] for trial in trials]
            shares[name] = importance_of_key(values, [costs[trial.number] for trial in trials])
        figures.append(_importance_figure(f"Importance for {objective.key}", shares))
    return section("Importance of each key", paragraph(EXPLANATION), *figures)


def _importance_figure(caption: str, shares: Mapping[str, float | None]) -> str:
    """Return a chart and a table of the importance of keys, the most important first."""
    known = {key: share for key, share in shares.items() if share is not None}
    ordered = sorted(shares, key=lambda key: -known.get(key, -1))
    rows = [[key, f"{100 * known[key]:.0f} %" if key in known else "too few trials to say"] for key in ordered]
    numbers = table(["key", "importance"], rows, caption=f"{caption}, in numbers", texts=[0])
    if not known:
        return numbers
    bars = [{"key": key, "importance": round(known[key], 4)} for key in ordered if key in known]
    chart = charts.bars(bars, "key", "importance", titles=("", "importance"))
    chart["encoding"]["x"] |= {"scale": {"domain": [0, 1]}, "axis": {"format": "%", "tickCount": 5}}
    return charts.figure(caption, chart) + numbers


def importance_of_key(values: Sequence[Any], costs: Sequence[float]) -> float | None:
    """Return how much of the ranks of trials depends on a key; None with fewer than 8 trials, or than 2 a group.

    With ranks r of n trials in k groups g by the key's value, r̄ their mean, and equal costs sharing their mean rank:

        η² = Σ_g n_g (r̄_g - r̄)² / Σ_i (r_i - r̄)²
        importance = max(0, 1 - (1 - η²) (n - 1) / (n - k))

    Args:
        values: the key's value in each trial.
        costs: the objective of each, lower is better; infinite for a trial that was pruned or diverged.

    Source: Kruskal and Wallis, Use of Ranks in One-Criterion Variance Analysis (1952); Kelley, An Unbiased Correlation
    Ratio Measure (1935).
    """
    if not values:
        return None
    groups = _groups_of(values)
    n, k = len(groups), int(groups.max()) + 1
    if n < max(FEWEST_TRIALS, 2 * k):
        return None
    _, places, counts = np.unique(np.array(costs, dtype=float), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    ranks -= ranks.mean()
    total = float(np.square(ranks).sum())
    if k == 1 or total == 0:
        return 0.0
    between = float((np.bincount(groups, ranks) ** 2 / np.bincount(groups)).sum())
    return max(0.0, 1 - (1 - between / total) * (n - 1) / (n - k))


def _groups_of(values: Sequence[Any]) -> NDArray[np.intp]:
    """Return the group of each value: many different numbers by their quarters, all others by what they are."""
    texts = [repr(value) for value in values]
    if len({*texts}) > len(QUARTERS) + 1 and all(type(value) in (int, float) for value in values):
        _, groups = np.unique(np.searchsorted(np.quantile(values, QUARTERS), values), return_inverse=True)
    else:
        _, groups = np.unique(texts, return_inverse=True)
    return groups


def _curves_section(found: Sweep, best: Sequence[Trial]) -> str:
    """Return a chart for each objective: its course in each trial."""
    shown = [*best, *(trial for trial in found.trials if trial.state != FINISHED)][:MOST_LINES]
    histories = {_name(trial): history_of(trial.directory) for trial in shown}
    most = max(MOST_POINTS // (len(shown) * len(found.objectives)), ENOUGH_POINTS)
    text = f"Thick: the best, trial {best[0].number}. Thin: other trials."
    figures = [_curves(objective, histories, most) for objective in found.objectives]
    return section("Curves", paragraph(text), beside(*figures))


def _curves(objective: Objective, histories: Mapping[str, Sequence[Mapping[str, float]]], most: int) -> str:
    """Return a chart of an objective in the evaluations of trials, the best trial first."""
    best = next(iter(histories))
    points = {name: _points(history, objective, most) for name, history in histories.items()}
    thick = [{**point, "series": best} for point in points[best]]
    others = {name: each for name, each in points.items() if each and name != best}
    thin = [{**point, "series": OTHERS, "line": name} for name, each in others.items() for point in each]
    chart = charts.curves(
        thick,
        "epoch",
        "value",
        titles=("epoch", objective.name.replace("_", " ")),
        logarithmic=wants_logarithms(objective.name, [point["value"] for point in (*thick, *thin)]),
        zero=objective.name == "loss",
        marked=thick[-1] if thick else None,
        thin=thin,
        thin_opacity=0.75,
        names=[OTHERS, best],
    )
    rows = [[name, f"{each[-1]['epoch']:g}", figure(each[-1]["value"])] for name, each in points.items() if each]
    numbers = table(["trial", "epoch", objective.key], rows, caption=f"Last points: {objective.key}", texts=[0])
    return charts.figure(objective.key.replace("_", " ").capitalize(), chart, numbers)


def _points(history: Iterable[Mapping[str, float]], objective: Objective, most: int) -> list[dict[str, Any]]:
    """Return regular ones of the evaluations of a trial, the first and the last among them."""
    found = [record for record in history if objective.key in record]
    return [
        {"epoch": float(f"{found[i]['epoch']:.6g}"), "value": float(f"{found[i][objective.key]:.6g}")}
        for i in rows_worth_reading(len(found), None, most)
    ]
