"""Curves of runs: of one, with its best evaluation marked, and of several together."""

from __future__ import annotations

import math
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from mlpkit.pages import charts
from mlpkit.pages.evaluations import best_in_words, rows_worth_reading, wants_logarithms
from mlpkit.pages.notebook_tables import position_of_best
from mlpkit.pages.parts import beside, folded, paragraph, section, table
from mlpkit.pages.results import evaluations_table, with_unit
from mlpkit.runs.json_files import splits_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlpkit.pages.results import RunOnPage, RunSet
    from mlpkit.training.checkpointing import BestTracker
    from mlpkit.training.evaluation import Record

MOST_POINTS: Final = 200
"""Most evaluations that a curve is drawn through: the first, the best and the last, and regular ones between."""
MOST_POINTS_TOGETHER: Final = 2500
"""Most points of all curves of a page, if that leaves each curve enough."""
ENOUGH_POINTS: Final = 20
LEARNING_RATE: Final = "learning_rate"


def curves_section(history: Sequence[Record], tracker: BestTracker, units: Mapping[str, str]) -> str:
    """Return curves of the loss, each metric and a learning rate that changes, the best marked, and their numbers."""
    if not history:
        return section("Curves", paragraph("No evaluation yet."))
    best = position_of_best(history, tracker) if len(history) > 1 else None
    figures = [charts.figure(caption, chart) for caption, chart in curve_charts(history, best, units).items()]
    notes = [paragraph(f"Marked: {best_in_words(tracker, history[-1])}.")] if best is not None else []
    rate = constant_rate(history)
    if rate is not None:
        notes.append(paragraph(f"Learning rate: {rate:.6g} throughout."))
    return section("Curves", beside(*figures), *notes, folded("Evaluations", evaluations_table(history, best)))


def curve_charts(
    records: Sequence[Record], best: int | None = None, units: Mapping[str, str] = MappingProxyType({})
) -> dict[str, charts.Chart]:
    """Return charts of the loss, each metric and a learning rate that changes, by caption, the best marked."""
    shown = [records[i] for i in rows_worth_reading(len(records), best, MOST_POINTS)]
    found = {}
    for name, splits in splits_by_name(dict.fromkeys(key for record in shown for key in record)).items():
        keys = {split: f"{split}_{name}" for split in splits}
        series = {of: [(each["iteration"], each.get(key, math.nan)) for each in shown] for of, key in keys.items()}
        marked, key = {} if best is None else records[best], keys[splits[-1]]
        point = {"iteration": marked["iteration"], name: marked[key]} if key in marked else None
        found[name.capitalize().replace("_", " ")] = chart_of(name, series, units, point)
    return found if constant_rate(records) is not None else {**found, "Learning rate": _learning_rate(shown)}


def constant_rate(records: Sequence[Record]) -> float | None:
    """Return the learning rate of all evaluations; None if it changes, or without evaluations."""
    rates = {record["learning_rate"] for record in records if "learning_rate" in record}
    return rates.pop() if len(rates) == 1 else None


def chart_of(
    name: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    units: Mapping[str, str] = MappingProxyType({}),
    marked: Mapping[str, float] | None = None,
) -> charts.Chart:
    """Return a chart of the loss or a metric over the iterations, a curve for each series."""
    points = [
        {"iteration": iteration, name: value, "series": called}
        for called, curve in series.items()
        for iteration, value in curve
    ]
    finite = [value for curve in series.values() for _, value in curve if math.isfinite(value)]
    return charts.curves(
        points,
        "iteration",
        name,
        titles=("iteration", with_unit(name, units)),
        logarithmic=wants_logarithms(name, finite),
        zero=name == "loss",
        marked=marked,
    )


def _learning_rate(records: Sequence[Record]) -> charts.Chart:
    points = [
        {"iteration": record["iteration"], "rate": record["learning_rate"], "series": "learning rate"}
        for record in records
    ]
    return charts.curves(points, "iteration", "rate", titles=("iteration", "learning rate"))


def curves_of_sets(sides: Sequence[RunSet]) -> str:
    """Return the curves of all sides, a chart for each loss and metric of a split, and for a rate that changes."""
    keys = {key: None for side in sides for run in side.runs for record in run.history for key in record}
    shown = [f"{split}_{name}" for name, splits in splits_by_name(keys).items() for split in sorted(splits)[::-1]]
    if not shown:
        return section("Curves", paragraph("No evaluation yet."))
    several = any(len(side.runs) > 1 for side in sides)
    notes = [paragraph("Thick: the mean of the runs. Thin: each run.")] if several else []
    curves = (len(shown) + 1) * sum(len(side.runs) for side in sides)
    most = max(MOST_POINTS_TOGETHER // curves, ENOUGH_POINTS)
    named = dict(zip(_short_names([side.name for side in sides]), sides, strict=True))
    rates = {name: constant_rate([*chain(*(run.history for run in side.runs))]) for name, side in named.items()}
    if None in rates.values():
        shown.append(LEARNING_RATE)
    elif len(set(rates.values())) == 1:
        notes.append(paragraph(f"Learning rate: {next(iter(rates.values())):.6g} throughout."))
    else:
        listed = "; ".join(f"{name} {rate:.6g}" for name, rate in rates.items())
        notes.append(paragraph(f"Learning rate, throughout: {listed}."))
    return section("Curves", *notes, beside(*(_figure(named, key, most) for key in shown)))


def _short_names(names: Sequence[str]) -> list[str]:
    """Return names of folders without the folders that all of them are in."""
    parts = [name.split("/") for name in names]
    common = 0
    while all(len(each) > common + 1 and each[common] == parts[0][common] for each in parts):
        common += 1
    return ["/".join(each[common:]) for each in parts]


def _figure(sides: Mapping[str, RunSet], key: str, most: int) -> str:
    """Return a chart of a value of the history; of several runs, their mean and each as a thin line."""
    name = key if key == LEARNING_RATE else key.partition("_")[2]
    thin = [
        {**point, "series": called, "line": str(run.directory)}
        for called, side in sides.items()
        if len(side.runs) > 1
        for run in side.runs
        for point in _points(_values(run, key), most)
    ]
    thick = [{**point, "series": called} for called, side in sides.items() for point in _points(_mean(side, key), most)]
    every = [point["value"] for point in (*thick, *thin)]
    chart = charts.curves(
        thick,
        "iteration",
        "value",
        titles=("iteration", name.replace("_", " ")),
        logarithmic=wants_logarithms(name, every),
        zero=name in {"loss", LEARNING_RATE},
        thin=thin,
        names=[*sides],
        dashed=len(sides) > 1,
    )
    caption = key.replace("_", " ").capitalize()
    return charts.figure(caption, chart, _last_values(thick, f"Last points: {caption}"))


def _values(run: RunOnPage, key: str) -> dict[int, float]:
    """Return a value of the history by iteration; one that was not finite is missing."""
    return {int(record["iteration"]): record[key] for record in run.history if key in record}


def _mean(side: RunSet, key: str) -> dict[int, float]:
    """Return the mean over the runs of a side, at the iterations at which all have a value."""
    runs = [_values(run, key) for run in side.runs]
    common = [iteration for iteration in runs[0] if all(iteration in values for values in runs)]
    return {iteration: sum(values[iteration] for values in runs) / len(runs) for iteration in common}


def _points(values: Mapping[int, float], most: int) -> list[dict[str, Any]]:
    """Return regular ones of the points of a curve, the first and the last among them."""
    found = list(values.items())
    return [
        {"iteration": found[i][0], "value": float(f"{found[i][1]:.6g}")}
        for i in rows_worth_reading(len(found), None, most)
    ]


def _last_values(points: Iterable[Mapping[str, Any]], caption: str) -> str:
    last = {point["series"]: point for point in points}
    rows = [[series, f"{point['iteration']:,}", f"{point['value']:.4g}"] for series, point in last.items()]
    return table(["run", "iteration", "value"], rows, caption=caption, texts=[0])
