"""New rows against training, for a terminal and as a page."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlpkit.components.schema.wording import counted, listed
from mlpkit.jobs.drift import DriftReport, drift
from mlpkit.jobs.load_model import load_run
from mlpkit.pages import charts, page, parts
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import require_writable, write_atomically
from mlpkit.terminal.figures import probability
from mlpkit.terminal.formatting import blocks, paragraph
from mlpkit.terminal.output import on_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.jobs.drift import ColumnDrift

MOST_COLUMNS: Final = 40
"""Columns that a terminal shows unless all are asked for."""
MOST_BARS: Final = 10
MOST_CHARTS: Final = 16
MOST_NAMES: Final = 5
HEADINGS: Final = ("column", "moved", "p-value", "missing")
INDENT: Final = "  "


def lines_of_drift(report: DriftReport, width: int | None, *, every: bool) -> list[str]:
    """Return the lines that ``mlpkit data NEW --against RUN`` prints."""
    shown = report.columns if every else report.columns[: max(MOST_COLUMNS, len(report.drifted))]
    table = [[*HEADINGS]]
    for title, drifted in (("drifted", True), ("not drifted", False)):
        rows = [_cells(column) for column in shown if column.drifted == drifted]
        table += [[title, "", "", ""], *([f"{INDENT}{name}", *cells] for name, *cells in rows)] if rows else []
    if len(shown) < len(report.columns):
        table.append([f"{INDENT}and {len(report.columns) - len(shown):,} more; --all shows them", "", "", ""])
    lines = [*paragraph(_verdict(report), width=width), "", *blocks(table, right=(1, 2, 3), indent=INDENT, width=width)]
    notes = [paragraph(on_one_line(text), indent=INDENT, width=width) for text in _notes(report, shown)]
    return [*lines, "", *chain(*notes)] if notes else lines


def shown_drift(
    run: Path, file: Path, name: str, html: Path | None, plugin_options: PluginOptions, **tests: float
) -> DriftReport:
    """Compare the rows of a file, called by a name, with a run's, and write the page about it if one is wanted."""
    if html is not None:
        require_writable(html)
    found = drift(load_run(run, Registry.discover(**plugin_options)), run, file, name, **tests)
    if html is not None:
        write_drift_page(html, found)
    return found


def write_drift_page(path: Path, report: DriftReport) -> None:
    """Write the page of new rows against training."""
    caption = "Moved: the share of rows that would have to change for the distributions to agree"
    table = parts.table(HEADINGS, [_cells(column) for column in report.columns], caption=caption, texts=(0,))
    notes = map(parts.paragraph, _notes(report, report.columns))
    sections = [parts.section("Result", parts.paragraph(_verdict(report)), table, *notes)]
    drawn = [(column, _bars(column)) for column in report.drifted[:MOST_CHARTS]]
    figures = [charts.figure(_name(column), charts.grouped_bars(*bars, value="share")) for column, bars in drawn]
    sections += [parts.section("Then and now", parts.beside(*figures))] if figures else []
    write_atomically(path, page.page(f"{Path(report.new).name} against {Path(report.run).name}", sections).encode())


def _verdict(report: DriftReport) -> str:
    rows = f"{report.new}, {counted(report.rows, 'row')}, against {report.run}, {report.training_rows:,} rows"
    past = f", with at least {report.least:.0%} of its rows moved" if report.least else ""
    drifted = f"{len(report.drifted)} of {counted(len(report.columns), 'column')} drifted"
    return f"{rows}: {drifted} at level {report.level:g}{past}"


def _notes(report: DriftReport, shown: Sequence[ColumnDrift]) -> list[str]:
    """Return the unseen categories of each column, and what can't be compared."""
    notes = []
    for column in shown:
        unseen = [f"{name} {count:,}" for name, count in column.now.unseen.items()]
        share = sum(column.now.unseen.values()) / column.now.rows
        if unseen and column.then.role != "model":
            notes.append(f"{column.then.name}: {share:.1%} unseen in training: {listed(unseen, MOST_NAMES)}")
    return [*notes, *report.notes]


def _name(column: ColumnDrift) -> str:
    return f"{column.then.name} (target)" if column.then.role == "target" else column.then.name


def _cells(column: ColumnDrift) -> list[str]:
    if column.p_value is None:
        moved = p_value = "-"
    else:
        moved, p_value = f"{column.moved:.1%}", probability(column.p_value)
    missing = " to ".join(f"{side.missing / side.rows:.1%}" for side in (column.then, column.now))
    return [_name(column), moved, p_value, missing if missing != "0.0% to 0.0%" else "-"]


def _bars(column: ColumnDrift) -> tuple[list[str], dict[str, list[float]]]:
    """Return the names of bins or of the most common categories, and their shares then and now."""
    most = None if column.then.edges else MOST_BARS
    labels = [*column.then.labels[:most], "other", "unseen", "missing"]
    shares = {}
    for name, side in (("then", column.then), ("now", column.now)):
        others, unseen = side.others + sum(side.counts[len(labels) - 3 :]), sum(side.unseen.values())
        shares[name] = [count / side.rows for count in (*side.counts[:most], others, unseen, side.missing)]
    used = [i for i in range(len(labels)) if shares["then"][i] or shares["now"][i]]
    return [labels[i] for i in used], {name: [each[i] for i in used] for name, each in shares.items()}
