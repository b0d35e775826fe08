"""What a spec's data is like, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mlpkit.components.target import Labels
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import blocks, columns, paragraph, shape
from mlpkit.verbs.data.column_table import column_table, remarks
from mlpkit.verbs.data.data import ColumnStatistics, DataReport, ShownExample

SINGLE_PRECISION: Final = 2.0**-24
"""By how much, relatively, rounding to float32 changes a number at most."""

MOST_ELEMENTS: Final = 8
"""Elements of an input that are shown of an example."""


def lines_of(path: str, report: DataReport, width: int | None, *, encoded: bool, every: bool) -> list[str]:
    """Return the lines that ``mlpkit data`` prints.

    Args:
        path: the spec's file.
        report: what its data is like.
        width: the line length; None for no limit.
        encoded: whether to show what the network gets.
        every: whether to show all columns of a wide table.
    """
    return [*_heading(path, report, width), *_content(report, width, encoded=encoded, every=every)]


def _heading(path: str, report: DataReport, width: int | None) -> list[str]:
    lines, description = [f"{path}: {report.spec.data.name}"], report.description
    if description is None:
        return lines
    inputs = f"input {shape(description.input_shape)} ({report.spec.dtype}), target {description.target}"
    lines += [*paragraph(inputs, indent="  ", width=width), ""]
    return lines + (_counts(report, width) if report.counts else _sizes(report))


def _content(report: DataReport, width: int | None, *, encoded: bool, every: bool) -> list[str]:
    if report.columns and not encoded:
        return _columns(report, width, every=every)
    if report.arrays and (report.refused or not encoded):
        return _arrays(report, width)
    return _encoded(report, width)


def _arrays(report: DataReport, width: int | None) -> list[str]:
    """Return a line for each array, and what is unusual about their examples."""
    missing = ("missing",) if report.refused else ()
    rows: list[tuple[str, ...]] = [("array", "type", "shape", *missing, "range")]
    for array in report.arrays:
        bounds = dict.fromkeys(f"{bound:.7g}" for bound in (array.least, array.greatest))
        counted = (f"{array.missing:,}" if array.missing else "-",) if report.refused else ()
        rows.append((f"{array.role}: {array.name}", array.dtype, shape(array.shape), *counted, " to ".join(bounds)))
    lines = ["", *blocks(rows, indent="  ", width=width, right=(3,) if report.refused else ())]
    if report.refused:
        return [*lines, "", *paragraph(f"can't be trained on: {report.refused}", indent="  ", width=width)]
    if report.values:
        lines += ["", *_statistics("target", report.target_names, report.values, width)]
    notes = remarks((), report.repeated, report.sizes, width)
    return [*lines, "", *notes] if notes else lines


def _columns(report: DataReport, width: int | None, *, every: bool) -> list[str]:
    lines = ["", *column_table(report.columns, width, every=every)]
    notes = remarks(report.columns, report.repeated, report.sizes, width)
    return [*lines, "", *notes] if notes else lines


def _encoded(report: DataReport, width: int | None) -> list[str]:
    lines: list[str] = []
    if report.values:
        lines += ["", *_statistics("target", report.target_names, report.values, width)]
    lines += ["", *_statistics("input", report.input_names, report.inputs, width)]
    if report.examples:
        lines += ["", *_examples(report, width)]
    return lines


def _sizes(report: DataReport) -> list[str]:
    sizes = report.sizes
    return columns(
        [("split", "examples"), *((name, f"{size:,}") for name, size in sizes.items())], right=(1,), indent="  "
    )


def _counts(report: DataReport, width: int | None) -> list[str]:
    """Return a line for each class or label: how many examples of each split have it."""
    sizes = report.sizes
    has_labels = report.description is not None and isinstance(report.description.target, Labels)
    what = "label" if has_labels else "class"
    rows = [(what, *sizes), ("examples", *(f"{size:,}" for size in sizes.values()))]
    for index, name in enumerate(report.target_names):
        counts = (report.counts[split][index] for split in sizes)
        shares = (f"{count:,} ({count / size:4.0%})" for count, size in zip(counts, sizes.values(), strict=True))
        rows.append((name, *shares))
    return blocks(rows, right=range(1, len(sizes) + 1), indent="  ", width=width)


def _statistics(what: str, names: Sequence[str], found: Sequence[ColumnStatistics], width: int | None) -> list[str]:
    rows: list[tuple[str, ...]] = [(what, "least", "greatest", "mean", "std")]
    rows += [(name, *map(figure, _without_noise(values))) for name, values in zip(names, found, strict=True)]
    return blocks(rows, right=range(1, 5), indent="  ", width=width)


def _without_noise(values: ColumnStatistics) -> ColumnStatistics:
    """Return statistics whose mean is 0 if it is nothing but what rounding to float32 has left."""
    largest = max(abs(values.least), abs(values.greatest))
    return values._replace(mean=0.0) if abs(values.mean) < SINGLE_PRECISION * largest else values


def _examples(report: DataReport, width: int | None) -> list[str]:
    rows = [("example", "target", "inputs")]
    for number, example in enumerate(report.examples):
        elements = example.inputs.ravel()
        more = " ..." if len(elements) > MOST_ELEMENTS else ""
        shown = " ".join(figure(float(element)) for element in elements[:MOST_ELEMENTS])
        rows.append((str(number), _target(report, example), shown + more))
    return columns(rows, right=(0,), indent="  ", width=width)


def _target(report: DataReport, example: ShownExample) -> str:
    if report.counts and not example.target.shape:
        return report.target_names[int(example.target)]
    if report.counts:
        return ", ".join(name for name, holds in zip(report.target_names, example.target, strict=True) if holds) or "-"
    return " ".join(figure(float(value)) for value in example.target.ravel()[:MOST_ELEMENTS])
