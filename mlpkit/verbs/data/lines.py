"""What a spec's data is like, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mlpkit.components.dataset import ROLES
from mlpkit.components.schema.wording import counted
from mlpkit.components.target import Labels
from mlpkit.terminal.figures import figure
from mlpkit.terminal.formatting import blocks, columns, paragraph, shape, shortened, sparkline
from mlpkit.terminal.output import on_one_line
from mlpkit.verbs.data.data import ColumnStatistics, ColumnSummary, DataReport, ShownExample

SINGLE_PRECISION: Final = 2.0**-24
"""By how much, relatively, rounding to float32 changes a number at most."""

MOST_ELEMENTS: Final = 8
"""Elements of an input that are shown of an example."""


def lines_of(path: str, report: DataReport, width: int | None, *, encoded: bool, every: bool) -> list[str]:
    """Return the lines that ``mlpkit data`` prints, with an empty one between parts."""
    heading, parts, description = [f"{path}: {report.spec.data.name}"], list[list[str]](), report.description
    inputs = f"input {shape(description.input_shape)} ({report.spec.dtype}), target {description.target}"
    heading += paragraph(inputs, indent=INDENT, width=width)
    parts.append(_counts(report, width) if report.counts else _sizes(report))
    targets = _statistics("target", report.target_names, report.values, width) if report.values else []
    if report.columns and not encoded:
        parts += [column_table(report.columns, width, every=every), remarks(report, width)]
    elif report.arrays and not encoded:
        parts += [_arrays(report, width), targets, remarks(report, width)]
    else:
        examples = _examples(report, width) if report.examples else []
        parts += [targets, _statistics("input", report.input_names, report.inputs, width), examples]
    return [*heading, *(line for part in parts if part for line in ("", *part))]


def _arrays(report: DataReport, width: int | None) -> list[str]:
    """Return a line for each array."""
    rows = [("array", "type", "shape", "range")]
    for array in report.arrays:
        bounds = dict.fromkeys(f"{bound:.7g}" for bound in (array.least, array.greatest))
        rows.append((f"{array.role}: {array.name}", array.dtype, shape(array.shape), " to ".join(bounds)))
    return blocks(rows, indent=INDENT, width=width)


def _sizes(report: DataReport) -> list[str]:
    sizes = ((name, f"{size:,}") for name, size in report.description.sizes.items())
    return columns([("split", "examples"), *sizes], right=(1,), indent=INDENT)


def _counts(report: DataReport, width: int | None) -> list[str]:
    """Return a line for each class or label: how many examples of each split have it."""
    sizes = report.description.sizes
    has_labels = isinstance(report.description.target, Labels)
    what = "label" if has_labels else "class"
    rows = [(what, *sizes), ("examples", *(f"{size:,}" for size in sizes.values()))]
    for index, name in enumerate(report.target_names):
        counts = (report.counts[split][index] for split in sizes)
        shares = (f"{count:,} ({count / size:4.0%})" for count, size in zip(counts, sizes.values(), strict=True))
        rows.append((name, *shares))
    return blocks(rows, right=range(1, len(sizes) + 1), indent=INDENT, width=width)


def _statistics(what: str, names: Sequence[str], found: Sequence[ColumnStatistics], width: int | None) -> list[str]:
    rows: list[tuple[str, ...]] = [(what, "least", "greatest", "mean", "std")]
    rows += [(name, *map(figure, _without_noise(values))) for name, values in zip(names, found, strict=True)]
    return blocks(rows, right=range(1, 5), indent=INDENT, width=width)


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
    return columns(rows, right=(0,), indent=INDENT, width=width)


def _target(report: DataReport, example: ShownExample) -> str:
    if report.counts and not example.target.shape:
        return report.target_names[int(example.target)]
    if report.counts:
        return ", ".join(name for name, holds in zip(report.target_names, example.target, strict=True) if holds) or "-"
    return " ".join(figure(float(value)) for value in example.target.ravel()[:MOST_ELEMENTS])


TITLES: Final = {"input": "inputs", "split": "decides the split"}
"""What columns of a role are called, if not like the role."""
MOST_COLUMNS: Final = 40
"""Columns of a role that are shown unless all are asked for."""
LONGEST_RANGE: Final = 40
INDENT: Final = "  "


def column_table(columns: Sequence[ColumnSummary], width: int | None, *, every: bool) -> list[str]:
    """Return the lines of the table: targets, inputs, columns of other roles, and omitted columns."""
    roles = [(TITLES.get(role, role), [column for column in columns if column.role == role]) for role in ROLES]
    shown = [(title, members if every else _most_unusual(members), len(members)) for title, members in roles if members]
    rows = [["column", "type", "missing", "distinct", "histogram", "range"]]
    for title, some, count in shown:
        rows.append([title, "", "", "", "", ""])
        rows += [_cells(column) for column in some]
        if len(some) < count:
            rows.append([f"{INDENT}and {count - len(some):,} more; --all shows them", "", "", "", "", ""])
    return blocks(rows, right=(2, 3), indent=INDENT, width=width)


def remarks(report: DataReport, width: int | None) -> list[str]:
    """Return a line for each thing that is unusual about the columns, and about rows that splits share."""
    notes = [on_one_line(f"{column.name} {remark}") for column in report.columns for remark in column.remarks]
    for split, count in report.repeated.items():
        appear = "appears" if count == 1 else "appear"
        notes.append(f"{counted(count, 'row')} of {report.description.sizes[split]:,} in {split} {appear} in train too")
    return [line for text in notes for line in paragraph(text, indent=INDENT, width=width)]


def _most_unusual(columns: Sequence[ColumnSummary]) -> list[ColumnSummary]:
    """Return at most ``MOST_COLUMNS`` columns, in their order; unusual ones and ones with missing values come first."""
    first = sorted(range(len(columns)), key=lambda i: (not columns[i].remarks, not columns[i].missing, i))
    return [columns[i] for i in sorted(first[:MOST_COLUMNS])]


def _cells(column: ColumnSummary) -> list[str]:
    return [
        f"{INDENT}{column.name}",
        column.type,
        f"{column.missing:,}" if column.missing else "-",
        f"{column.distinct:,}",
        sparkline(column.histogram),
        _range(column),
    ]


def _range(column: ColumnSummary) -> str:
    """Write the least and the greatest number, or the most common texts, as many as have room."""
    if column.least is not None and column.greatest is not None:
        ends = dict.fromkeys(f"{end:.7g}" for end in (column.least, column.greatest))
        return " to ".join(ends)
    written = ""
    for text, count in column.common:
        number = f" {count:,}" if column.common[0][1] > 1 else ""
        part = shortened(text, LONGEST_RANGE - len(number)) + number
        longer = f"{written}, {part}" if written else part
        if len(longer) > LONGEST_RANGE:
            return written
        written = longer
    return written
