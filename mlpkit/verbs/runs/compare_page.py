"""A page that compares runs: whether the difference is more than chance, results, curves, and what differs."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from mlpkit.verbs.runs.compare import Side, compare_sides, read_sides
from mlpkit.pages import charts
from mlpkit.pages.evaluations import rows_worth_reading, wants_logarithms
from mlpkit.pages.page import page
from mlpkit.pages.parts import beside, folded, paragraph, preformatted, section, table
from mlpkit.pages.results import constant_rate
from mlpkit.record_keys import splits_by_name
from mlpkit.runs.files import write_atomically
from mlpkit.runs.layout import SPLITS
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.statistics import interval
from mlpkit.terminal.figures import plus_minus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mlpkit.verbs.runs.compare import ComparedRun, Comparison, Remark, Row

MOST_POINTS: Final = 2500
"""Most points of all curves of a page, if that leaves each curve enough."""
ENOUGH_POINTS: Final = 20
LEARNING_RATE: Final = "learning_rate"


def write_comparison(directories: Sequence[Path], file: Path, metrics: Sequence[str] = ()) -> None:
    """Write a page that compares runs: one file that works from disk, without a network.

    Args:
        directories: as for ``compare``.
        file: the file to write.
        metrics: as for ``compare``.

    Raises:
        UsageError: there is nothing to compare, no run has such a metric, or vl-convert isn't installed.
        RunFolderError: one is no run folder, or a file in it is damaged.
        StorageError: the page can't be written.
    """
    sides = read_sides(directories)
    found = compare_sides(sides, metrics)
    parts = [_chance_section(found), _results_section(sides), curves_section(sides), _differences_section(found)]
    write_atomically(file, page(f"{len(sides)} {'specs' if found.grouped else 'runs'} compared", parts).encode())


def _chance_section(found: Comparison) -> str:
    headings = ["run", "metric", "difference", "95 % interval", "verdict", "test"]
    rows = [[verdict.other, *verdict.cells, verdict.test] for verdict in found.chance]
    values = [
        [verdict.other, verdict.metric, verdict.difference, verdict.difference, verdict.p_value, verdict.test]
        for verdict in found.chance
    ]
    caption = f"Differences from {found.runs[0]} ({found.level})"
    verdicts = (
        [table(headings, rows, caption=caption, texts=[0, 1, 4, 5], sortable=True, values=values)] if rows else []
    )
    nothing = [] if rows or found.remarks else [paragraph("There are no two finished runs whose results differ.")]
    return section("More than chance?", *verdicts, *nothing, *map(_said, found.remarks))


def _said(remark: Remark) -> str:
    return paragraph(remark.text) + (preformatted("\n".join(remark.commands)) if remark.commands else "")


def _results_section(sides: Sequence[Side]) -> str:
    """Return loss and metrics at the end of each side, and of each run if a side has several."""
    runs = [Side(str(run.directory), (run,)) for side in sides for run in side.runs]
    if len(runs) == len(sides):
        return section("Results", results_table(sides, "At the end"))
    each = folded("Each run", results_table(runs, "Each run at its end"))
    return section("Results", results_table(sides, "At the end, mean ± half the width of the 95 % interval"), each)


def results_table(sides: Sequence[Side], caption: str) -> str:
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


def _steps(run: ComparedRun) -> int:
    return int(run.history[-1]["iteration"]) if run.history else 0


def curves_section(sides: Sequence[Side]) -> str:
    """Return the curves of all sides, a chart for each loss and metric of a split, and for a rate that changes."""
    keys = {key: None for side in sides for run in side.runs for record in run.history for key in record}
    shown = [f"{split}_{name}" for name, splits in splits_by_name(keys).items() for split in sorted(splits)[::-1]]
    if not shown:
        return section("Curves", paragraph("There was no evaluation yet."))
    several = any(len(side.runs) > 1 for side in sides)
    said = [paragraph("Thick: the mean of the runs. Thin: each run.")] if several else []
    curves = (len(shown) + 1) * sum(len(side.runs) for side in sides)
    most = max(MOST_POINTS // curves, ENOUGH_POINTS)
    named = dict(zip(_short_names([side.name for side in sides]), sides, strict=True))
    rates = {name: constant_rate([*chain(*(run.history for run in side.runs))]) for name, side in named.items()}
    if None in rates.values():
        shown.append(LEARNING_RATE)
    elif len(set(rates.values())) == 1:
        said.append(paragraph(f"Learning rate: {next(iter(rates.values())):.6g} throughout."))
    else:
        told = "; ".join(f"{name} {rate:.6g}" for name, rate in rates.items())
        said.append(paragraph(f"Learning rate, throughout: {told}."))
    return section("Curves", *said, beside(*(_figure(named, key, most) for key in shown)))


def _short_names(names: Sequence[str]) -> list[str]:
    """Return names of folders without the folders that all of them are in."""
    parts = [name.split("/") for name in names]
    common = 0
    while all(len(each) > common + 1 and each[common] == parts[0][common] for each in parts):
        common += 1
    return ["/".join(each[common:]) for each in parts]


def _figure(sides: Mapping[str, Side], key: str, most: int) -> str:
    """Return a chart of a value of the history; of several runs, their mean and each as a thin line.

    Args:
        sides: the sides, by what to call them.
        key: the key of the value.
        most: points of a curve.
    """
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


def _values(run: ComparedRun, key: str) -> dict[int, float]:
    """Return a value of the history by iteration; one that was not finite is missing."""
    return {int(record["iteration"]): record[key] for record in run.history if key in record}


def _mean(side: Side, key: str) -> dict[int, float]:
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


def _differences_section(found: Comparison) -> str:
    """Return what differs in specs and versions."""
    apart = [] if found.part_at is None else [paragraph(f"The histories are apart from iteration {found.part_at} on.")]
    every = _differences("Spec, every key", found.spec, found)
    return section(
        "What differs",
        _differences("Spec", found.outline, found),
        *([folded("Every key", every)] if found.outline != found.spec else []),
        _differences("Versions", found.versions, found),
        *apart,
    )


def _differences(caption: str, values: Row, found: Comparison) -> str:
    if not values:
        return paragraph(f"{caption}: the same.")
    rows = [[key, *("" if each is None else to_inline_yaml(each) for each in row)] for key, row in values.items()]
    return table([caption.lower(), *found.runs], rows, caption=caption, texts=range(len(found.runs) + 1), sortable=True)
