"""Predictions in a warm process: ten thousand images at once, and one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import say
from comparison import Comparison, failures_of, figures_of
from contestants.roster import ONNXRUNTIME, OURS
from contestants.task import Task
from processes import contest
from rounds import Side, take_turns
from targets import PREDICTION_AGAINST_ONNXRUNTIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench import Bench

ROWS = (10_000, 1)
WIDTHS = (50, 256, 1024)


def predict(bench: Bench) -> list[Comparison]:
    """Compare ``network.predict`` with peers: NumPy array in, probabilities as a NumPy array out."""
    return [comparison for hidden in WIDTHS for comparison in of_width(bench, hidden)]


def of_width(bench: Bench, hidden: int) -> list[Comparison]:
    """Compare the predictions of 784-H-H-10.

    Args:
        bench: the options.
        hidden: units of a hidden layer, H.
    """
    say(f"predictions of 784-{hidden}-{hidden}-10 ...")
    task = Task((hidden, hidden), 1000, "sgd")

    def measure(side: Side) -> Mapping[str, float]:
        report: Mapping[str, float] = contest(
            side.entry, "predict", task, bench.folder, threads=side.threads, rows=ROWS
        )
        return report

    peers = [Side(entry, threads) for entry in bench.predictors for threads in entry.thread_counts(0, bench.cores)]
    measured = take_turns([Side(OURS), *peers], bench.rounds(), measure)
    comparisons = []
    for rows in ROWS:
        title = f"prediction of {rows:,} image{'s' if rows > 1 else ''}, 784-{hidden}-{hidden}-10"
        about = {"hidden": hidden, "rows": rows}
        figures, failures = figures_of(measured, str(rows)), failures_of(measured)
        comparison = Comparison("predict", title, "s", figures, about, failures=failures)
        target = PREDICTION_AGAINST_ONNXRUNTIME[hidden, rows]
        comparison.ask_ratio(comparison.figure(ONNXRUNTIME.name), target, "against onnxruntime")
        comparisons.append(comparison)
    return comparisons
