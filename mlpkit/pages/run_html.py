"""The results of a training, as tables for a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from mlpkit.pages.evaluations import best_in_words
from mlpkit.pages.history_html import history_html
from mlpkit.pages.html_tables import html_table
from mlpkit.terminal.figures import figure, plus_minus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.statistics import Interval
    from mlpkit.training.checkpointing import BestTracker
    from mlpkit.training.evaluation import Record


def run_html(
    history: Sequence[Record],
    tracker: BestTracker,
    metrics: Mapping[str, Mapping[str, Any]],
    circumstances: Sequence[str],
) -> str:
    """Return a line, the loss and metrics at the end by split, and the evaluations.

    Args:
        history: the evaluations.
        tracker: which of them is the best.
        metrics: the results by split; tables are left out.
        circumstances: further facts.
    """
    best = position_of_best(history, tracker)
    evaluations = history_html(history, best) if history else ""
    notes = [best_in_words(tracker, history[-1])] if best is not None and len(history) > 1 else []
    return f"<p>{escape('; '.join([*circumstances, *notes]))}</p>{_results(metrics)}{evaluations}"


def seeds_html(metrics: Mapping[str, Mapping[str, Interval]], circumstances: Sequence[str]) -> str:
    """Return the mean of each loss and metric of several runs, with its interval, spread and number of runs.

    Args:
        metrics: the means over the runs, by split.
        circumstances: further facts.
    """
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


def _results(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    if not metrics:
        return ""
    names = dict.fromkeys(k for found in metrics.values() for k, value in found.items() if not isinstance(value, list))
    rows = [[split, *(figure(found[k]) if k in found else "" for k in names)] for split, found in metrics.items()]
    return html_table(["at\N{NO-BREAK SPACE}the\N{NO-BREAK SPACE}end", *names], rows, texts=[0])
