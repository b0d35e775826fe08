"""What came of a run: loss and metrics at the end, and how they changed while it was trained."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from mlpkit.pages import charts
from mlpkit.pages.evaluations import best_in_words, rows_worth_reading, wants_logarithms
from mlpkit.pages.parts import beside, folded, paragraph, section, table
from mlpkit.pages.run_html import position_of_best
from mlpkit.record_keys import splits_by_name
from mlpkit.terminal.figures import figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.training.checkpointing import BestTracker
    from mlpkit.training.evaluation import Record

MOST_POINTS: Final = 200
"""Most evaluations that a curve is drawn through: the first, the best and the last, and regular ones between."""


def result_section(metrics: Mapping[str, Mapping[str, Any]], units: Mapping[str, str], *remarks: str) -> str:
    """Return loss and metrics by split, and what is to be said of them.

    Args:
        metrics: the results by split; a table as a list of rows.
        units: the units of the loss and of metrics, by name.
        remarks: a paragraph each.
    """
    names = list(
        dict.fromkeys(
            name for found in metrics.values() for name, value in found.items() if not isinstance(value, list)
        )
    )
    rows = [[split, *(_cell(found.get(name)) for name in names)] for split, found in metrics.items()]
    headings = ["split", *(with_unit(name, units) for name in names)]
    results = [table(headings, rows, caption="At the end", texts=[0])] if rows else []
    return section("Result", *map(paragraph, remarks), *results)


def _cell(value: Any) -> str:
    return "" if value is None else figure(value)


def with_unit(name: str, units: Mapping[str, str]) -> str:
    """Return a name, followed by its unit if it has one."""
    return f"{name} ({units[name]})" if units.get(name) else name


def curves_section(history: Sequence[Record], tracker: BestTracker, units: Mapping[str, str]) -> str:
    """Return curves of the loss, each metric and a learning rate that changes, the best marked, and their numbers.

    Args:
        history: the evaluations; a value that isn't finite may be missing.
        tracker: which of them is the best.
        units: the units of the loss and of metrics, by name.
    """
    if not history:
        return section("Curves", paragraph("There was no evaluation yet."))
    best = position_of_best(history, tracker) if len(history) > 1 else None
    figures = [charts.figure(caption, chart) for caption, chart in curve_charts(history, best, units).items()]
    said = [paragraph(f"Marked: {best_in_words(tracker, history[-1])}.")] if best is not None else []
    rate = constant_rate(history)
    said += [] if rate is None else [paragraph(f"Learning rate: {rate:.6g} throughout.")]
    return section(
        "Curves",
        beside(*figures),
        *said,
        folded("Evaluations", evaluations_table(history, best)),
    )


def curve_charts(
    records: Sequence[Record], best: int | None = None, units: Mapping[str, str] = MappingProxyType({})
) -> dict[str, charts.Chart]:
    """Return charts of the loss, each metric and a learning rate that changes, by caption.

    Args:
        records: the evaluations; a value that isn't finite may be missing.
        best: position of the best, which is marked; None for no mark.
        units: the units of the loss and of metrics, by name.
    """
    shown = [records[i] for i in rows_worth_reading(len(records), best, MOST_POINTS)]
    marked = None if best is None else records[best]
    names = splits_by_name(dict.fromkeys(key for record in shown for key in record))
    found = {_caption(name): _curves(name, splits, shown, marked, units) for name, splits in names.items()}
    return found if constant_rate(records) is not None else {**found, "Learning rate": _learning_rate(shown)}


def constant_rate(records: Sequence[Record]) -> float | None:
    """Return the learning rate of all evaluations; None if it changes, or without evaluations."""
    rates = {record["learning_rate"] for record in records if "learning_rate" in record}
    return rates.pop() if len(rates) == 1 else None


def _caption(name: str) -> str:
    return name.capitalize().replace("_", " ")


def _curves(
    name: str, splits: Sequence[str], records: Sequence[Record], best: Record | None, units: Mapping[str, str]
) -> charts.Chart:
    series = {
        split: [(record["iteration"], record.get(f"{split}_{name}", math.nan)) for record in records]
        for split in splits
    }
    marked = None if best is None else {"iteration": best["iteration"], name: best[f"{splits[-1]}_{name}"]}
    return chart_of(name, series, units, marked)


def chart_of(
    name: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    units: Mapping[str, str] = MappingProxyType({}),
    marked: Mapping[str, float] | None = None,
) -> charts.Chart:
    """Return a chart of the loss or a metric over the iterations.

    Args:
        name: ``loss``, or the metric's name.
        series: iterations and values of each curve, by what it is called.
        units: the units of the loss and of metrics, by name.
        marked: a point that is marked.
    """
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


def evaluations_table(records: Sequence[Record], best: int | None) -> str:
    """Return the evaluations that are worth a row as a table, the best one set off."""
    positions = rows_worth_reading(len(records), best)
    keys = list(dict.fromkeys(key for i in positions for key in records[i]))
    rows = [[_number(key, records[i].get(key, math.nan)) for key in keys] for i in positions]
    return table(
        [key.replace("_", " ") for key in keys],
        rows,
        caption=f"{len(rows):,} of {len(records):,} evaluations" if len(rows) < len(records) else "All evaluations",
        marked=positions.index(best) if best in positions else None,
    )


def _number(key: str, value: float) -> str:
    return f"{value:,.0f}" if key == "iteration" else f"{value:,.2f}" if key == "epoch" else figure(value)
