"""What a live page shows of runs: at first a frame, then what changes, as plain data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from mlpkit.pages import charts, parts
from mlpkit.pages.page import page
from mlpkit.progress.evaluations import rows_worth_reading
from mlpkit.progress.figures import duration, figure
from mlpkit.progress.history_html import splits_by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.live.watched import WatchedRun
    from mlpkit.training.evaluation import Record

MOST_POINTS: Final = 200
"""Most evaluations that a curve is drawn through."""
MOST_ROWS: Final = 12
LOGARITHMIC_FROM: Final = 100
"""From which ratio of the largest to the smallest loss on its axis is logarithmic."""

CONTROLS: Final = (
    '<p class="controls"><button type="button" id="pause">Pause</button>'
    '<button type="button" id="stop">Stop</button></p>'
)
STATE: Final = (
    '<p id="run-state" role="status">Waiting for the run</p><p id="run-progress"></p>'
    '<progress id="run-done" max="1" value="0" aria-label="share of the steps that are done"></progress>'
)
CHART: Final = '<template id="run-chart"><figure><figcaption></figcaption><div class="chart"></div></figure></template>'


def frame(title: str, script: str, *, controlled: bool, spec: str = "") -> str:
    """Return the page before anything is known of the runs.

    Args:
        title: the heading.
        script: JavaScript that fills it.
        controlled: whether it can pause and stop the run.
        spec: the text of the spec; empty if there are several.

    Raises:
        UsageError: what draws charts is not installed.
    """
    return page(
        title,
        [
            parts.section("State", STATE, CONTROLS if controlled else ""),
            parts.section("Curves", '<div class="charts" id="run-curves"></div>', CHART),
            parts.section("Evaluations", '<div id="run-table"></div>'),
            *([parts.section("Spec", parts.preformatted(spec))] if spec else []),
        ],
        script,
    )


def state_of(runs: Sequence[WatchedRun]) -> dict[str, Any]:
    """Return what changes from step to step: state, progress, and what the buttons can do."""
    if len(runs) != 1:
        going = sum(run.state == "running" for run in runs)
        said = f"{len(runs)} runs, {going} of them running" if runs else "There is no run yet"
        return {"state": said, "progress": "", "done": None, "active": False, "paused": False}
    (run,) = runs
    return {
        "state": f"{run.state.capitalize()}{f': {run.message}' if run.message else ''}",
        "progress": _progress(run),
        "done": run.step / run.total if run.total else None,
        "active": run.state in {"running", "paused"},
        "paused": run.state == "paused",
    }


def _progress(run: WatchedRun) -> str:
    of = f" of {run.total:,}" if run.total else ""
    said = [f"step {run.step:,}{of}"]
    if run.loss is not None and math.isfinite(run.loss):
        said.append(f"loss {figure(run.loss)}")
    if run.seconds_left is not None and run.state == "running":
        said.append(f"{duration(run.seconds_left)} left")
    return ", ".join(said)


def evaluations_of(runs: Sequence[WatchedRun]) -> dict[str, Any]:
    """Return what changes with an evaluation: a table as HTML, and charts by caption."""
    shown = [(run.name, list(run.records)) for run in runs if run.records]  # another thread adds to them
    table = _evaluations(shown[0][1]) if len(runs) == 1 and shown else _runs(runs) if len(runs) > 1 else ""
    return {"table": table, "charts": _charts(shown, several=len(runs) > 1)}


def _evaluations(records: Sequence[Record]) -> str:
    keys = list(records[-1])
    positions = rows_worth_reading(len(records), None, MOST_ROWS)
    rows = [[_number(key, records[i].get(key)) for key in keys] for i in positions]
    return parts.table([key.replace("_", " ") for key in keys], rows, caption=f"{len(rows):,} of {len(records):,}")


def _runs(runs: Sequence[WatchedRun]) -> str:
    keys = list(dict.fromkeys(key for run in runs if run.records for key in run.records[-1] if _is_result(key)))
    rows = []
    for run in runs:
        last = run.records[-1] if run.records else {}
        rows.append([run.name, run.state, f"{run.step:,}", *(_number(key, last.get(key)) for key in keys)])
    headings = ["run", "state", "iteration", *(key.replace("_", " ") for key in keys)]
    return parts.table(headings, rows, caption="Each run at its last one", texts=[0, 1])


def _is_result(key: str) -> bool:
    return key.partition("_")[0] in {"train", "validation"}


def _number(key: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if key == "iteration" else f"{value:,.2f}" if key == "epoch" else figure(value)


def _charts(shown: Sequence[tuple[str, list[Record]]], *, several: bool) -> dict[str, charts.Chart]:
    """Return a chart for the loss, each metric and, of a single run, the learning rate."""
    names = splits_by_name(dict.fromkeys((key for _, records in shown for key in records[0]), 0.0))
    found = {}
    for name, splits in names.items():
        if several:
            key = f"{splits[-1]}_{name}"
            points = [point for run, records in shown for point in _points(records, key, name, run)]
        else:
            points = [point for split in splits for point in _points(shown[0][1], f"{split}_{name}", name, split)]
        caption = f"{splits[-1]} {name}" if several else name
        found[caption] = _chart(caption, points, name)
    if shown and not several:
        rates = _points(shown[0][1], "learning_rate", "learning rate", "learning rate")
        found["learning rate"] = _chart("learning rate", rates, "learning rate")
    return found


def _points(records: Sequence[Record], key: str, name: str, series: str) -> list[dict[str, Any]]:
    kept = [records[i] for i in rows_worth_reading(len(records), None, MOST_POINTS)]
    return [{"iteration": each["iteration"], name: each[key], "series": series} for each in kept if key in each]


def _chart(caption: str, points: list[dict[str, Any]], name: str) -> charts.Chart:
    finite = [point[name] for point in points if math.isfinite(point[name])]
    positive = name == "loss" and bool(finite) and min(finite) > 0
    logarithmic = positive and max(finite) > LOGARITHMIC_FROM * min(finite)
    chart = charts.curves(points, "iteration", name, titles=("iteration", name), logarithmic=logarithmic)
    return charts.specification(caption.capitalize().replace("_", " "), chart)
