"""Tables for a notebook, in its own colours and type."""

from __future__ import annotations

from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from mlpkit.network.summary import HEADINGS, table_of
from mlpkit.pages.evaluations import MOST_ROWS, best_in_words, rows_worth_reading
from mlpkit.runs.json_files import splits_by_name
from mlpkit.terminal.figures import figure, plus_minus

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from mlpkit.network.sequential import Sequential
    from mlpkit.statistics import Interval
    from mlpkit.training.checkpointing import BestTracker
    from mlpkit.training.evaluation import Record

LEFT = ' style="text-align: left"'
BOLD = ' style="font-weight: bold"'


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, texts: Collection[int] = ()) -> str:
    """Return a table whose cells are escaped; ``texts`` are the columns of texts, and the rest hold numbers."""
    body = "".join(_row("td", row, texts) for row in rows)
    return f"<table><thead>{_row('th', headings, texts)}</thead><tbody>{body}</tbody></table>"


def network_html(network: Sequential) -> str:
    """Return the table of a network's ``summary``."""
    rows, footer = table_of(network)
    return f"{html_table(HEADINGS, rows, texts=(0, 1, 2))}<p>{escape(footer)}</p>"


def _row(tag: str, cells: Sequence[str], texts: Collection[int] = (), *, bold: bool = False) -> str:
    written = (f"<{tag}{LEFT if i in texts else ''}>{escape(cell)}</{tag}>" for i, cell in enumerate(cells))
    return f"<tr{BOLD if bold else ''}>{''.join(written)}</tr>"


BEST: Final = "best"
"""Stands before the best row, where the narrowest screen shows it."""


def history_html(records: Sequence[Record], best: int | None, most: int = MOST_ROWS) -> str:
    """Return a table with the evaluations that are worth a row, the best of several bold."""
    if len(records) < 2:
        best = None
    groups = splits_by_name(records[0]) if records else {}
    above = "".join(
        f'<th colspan="{len(splits)}" style="text-align: center">{escape(name)}</th>' for name, splits in groups.items()
    )
    titles = "".join(f"<th>{title}</th>" for title in ("", "iteration", "epoch", *chain(*groups.values())))
    positions = rows_worth_reading(len(records), best, most)
    body = "".join(
        _row("td", [BEST if i == best else "", *_cells(records[i], groups)], bold=i == best) for i in positions
    )
    return f'<table><thead><tr><th colspan="3"></th>{above}</tr><tr>{titles}</tr></thead><tbody>{body}</tbody></table>'


def _cells(record: Record, groups: Mapping[str, Sequence[str]]) -> list[str]:
    values = [record[f"{split}_{name}"] for name, splits in groups.items() for split in splits]
    return [f"{record['iteration']:.0f}", f"{record['epoch']:.2f}", *map(figure, values)]


def run_html(
    history: Sequence[Record],
    tracker: BestTracker,
    metrics: Mapping[str, Mapping[str, Any]],
    circumstances: Sequence[str],
) -> str:
    """Return a line, the loss and metrics at the end by split, and the evaluations."""
    best = position_of_best(history, tracker)
    evaluations = history_html(history, best) if history else ""
    notes = [best_in_words(tracker, history[-1])] if best is not None and len(history) > 1 else []
    names, rows = rows_of_results(metrics)
    results = html_table(["at\N{NO-BREAK SPACE}the\N{NO-BREAK SPACE}end", *names], rows, texts=[0]) if rows else ""
    return f"<p>{escape('; '.join([*circumstances, *notes]))}</p>{results}{evaluations}"


def seeds_html(metrics: Mapping[str, Mapping[str, Interval]], circumstances: Sequence[str]) -> str:
    """Return the mean of each loss and metric of several runs, with its interval, spread and number of runs."""
    rows = summary_rows(metrics)
    summary = f"<p>{escape('; '.join(circumstances))}</p>" if circumstances else ""
    return summary + (html_table(SUMMARY_TITLES, rows, texts=[0]) if rows else "")


SUMMARY_TITLES: Final = ("", "mean ± 95 %", "std", "runs")


def summary_rows(metrics: Mapping[str, Mapping[str, Interval]]) -> list[tuple[str, str, str, str]]:
    """Return the rows of a table of the results of several runs: name, mean with interval, spread, number of runs."""
    return [
        (f"{split} {name}", plus_minus(found), "" if found.std is None else figure(found.std), str(found.n))
        for split, results in metrics.items()
        for name, found in results.items()
    ]


def position_of_best(history: Sequence[Record], tracker: BestTracker) -> int | None:
    """Return which evaluation, counted from 0, is the best; None if none was finite."""
    if tracker.best is None:
        return None
    return next((i for i, record in enumerate(history) if record["iteration"] == tracker.best.step), None)


def rows_of_results(metrics: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return the names of the loss and of metrics that are numbers, and a row of their values for each split."""
    every = (name for found in metrics.values() for name, value in found.items() if not isinstance(value, list))
    names = list(dict.fromkeys(every))
    rows = [[split, *(figure(found[k]) if k in found else "" for k in names)] for split, found in metrics.items()]
    return names, rows
