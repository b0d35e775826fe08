"""Predictions in a warm process: ten thousand images at once, and one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import say
from comparison import Comparison, failures_of, figures_of
from contestants.roster import OURS
from contestants.task import Task
from processes import contest
from rounds import Side, take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench import Bench

TASK = Task((50, 50), 1000, "sgd")
ROWS = (10_000, 1)


def predict(bench: Bench) -> list[Comparison]:
    """Compare ``network.predict`` with peers: NumPy array in, probabilities as a NumPy array out."""
    say("predictions ...")

    def measure(side: Side) -> Mapping[str, float]:
        report: Mapping[str, float] = contest(
            side.entry, "predict", TASK, bench.folder, threads=side.threads, rows=ROWS
        )
        return report

    peers = [Side(entry, threads) for entry in bench.peers for threads in entry.thread_counts(0, bench.cores)]
    measured = take_turns([Side(OURS), *peers], bench.rounds(), measure)
    comparisons = []
    for rows in ROWS:
        title = f"prediction of {rows:,} image{'s' if rows > 1 else ''}, 784-50-50-10"
        figures, failures = figures_of(measured, str(rows)), failures_of(measured)
        comparisons.append(Comparison("predict", title, "s", figures, {"rows": rows}, failures=failures))
    return comparisons
