"""Results of runs: loss and metrics at the end, and the evaluations, as tables."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from mlpkit.pages.evaluations import rows_worth_reading
from mlpkit.pages.parts import paragraph, section, table
from mlpkit.runs.layout import SPLITS
from mlpkit.statistics import interval
from mlpkit.terminal.figures import figure, plus_minus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.pages.run_sets import RunOnPage, RunSet
    from mlpkit.training.evaluation import Record


def result_section(metrics: Mapping[str, Mapping[str, Any]], units: Mapping[str, str], *remarks: str) -> str:
    """Return loss and metrics by split, with remarks.

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
    rows = [
        [split, *(figure(found[name]) if name in found else "" for name in names)] for split, found in metrics.items()
    ]
    headings = ["split", *(with_unit(name, units) for name in names)]
    results = [table(headings, rows, caption="At the end", texts=[0])] if rows else []
    return section("Result", *map(paragraph, remarks), *results)


def with_unit(name: str, units: Mapping[str, str]) -> str:
    """Return a name, followed by its unit if it has one."""
    return f"{name} ({units[name]})" if units.get(name) else name


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


def results_table(sides: Sequence[RunSet], caption: str) -> str:
    """Return a table of loss and metrics at the end, a row for each side."""
    samples = [side.samples() for side in sides]
    found = Counter(name for values in samples for name in values)
    names = sorted(found, key=lambda name: (_place_of_split(name), -found[name], not name.endswith(".loss")))
    several = any(len(side.runs) > 1 for side in sides)
    rows, keys = [], []
    for side, values in zip(sides, samples, strict=True):
        means = [interval(list(values[name].values())) if name in values else None for name in names]
        steps = max(_steps(run) for run in side.runs)
        which = f"{side.finished} of {len(side.runs)}" if several else str(side.runs[0].seed)
        rows.append([side.name, which, f"{steps:,}", *("" if mean is None else plus_minus(mean) for mean in means)])
        first = side.finished if several else side.runs[0].seed
        keys.append([side.name, first, steps, *(None if mean is None else mean.mean for mean in means)])
    titles = ["run", "finished" if several else "seed", "steps", *(name.replace(".", " ", 1) for name in names)]
    return table(titles, rows, caption=caption, texts=[0], sortable=True, values=keys)


def _place_of_split(name: str) -> int:
    split = name.partition(".")[0]
    return SPLITS.index(split) if split in SPLITS else len(SPLITS)


def _steps(run: RunOnPage) -> int:
    return int(run.history[-1]["iteration"]) if run.history else 0
