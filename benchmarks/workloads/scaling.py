"""How the cost of our step grows with width, depth, size of the minibatch and number of examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import LONG_RUNS, say
from comparison import Comparison, failures_of, figures_of
from contestants.roster import LIMIT, OURS
from contestants.task import Task
from processes import EXAMPLES

from workloads.steps import time_steps

if TYPE_CHECKING:
    from bench import Bench

WIDTH, DEPTH, BATCH_SIZE = 128, 2, 256
"""What stays as it is while something else grows."""


@dataclass(frozen=True)
class Point:
    """One step time of a curve.

    Args:
        against: what grows.
        value: how far it has grown.
        task: the network and the size of a minibatch.
        examples: training examples.
    """

    against: str
    value: int
    task: Task
    examples: int = EXAMPLES


def points() -> list[Point]:
    """Return all points, curve by curve."""

    def task(*, width: int = WIDTH, depth: int = DEPTH, batch_size: int = BATCH_SIZE) -> Task:
        return Task((width,) * depth, batch_size, "sgd")

    return [
        *(Point("width", width, task(width=width)) for width in (16, 32, 64, 128, 256, 512, 1024, 2048)),
        *(Point("depth", depth, task(depth=depth)) for depth in (1, 2, 4, 8, 16)),
        *(Point("batch_size", size, task(batch_size=size)) for size in (16, 64, 256, 1024, 4096)),
        *(Point("examples", examples, task(), examples) for examples in (1000, 5000, 15_000, 55_000)),
    ]


def scaling(bench: Bench) -> list[Comparison]:
    """Time our step and the limit along the four curves."""
    comparisons = []
    for point in points():
        title = f"sgd step against {point.against.replace('_', ' ')}: {point.value:,}"
        say(f"{title} ...")
        measured = time_steps(bench, point.task, [OURS, LIMIT], rounds=bench.rounds(LONG_RUNS), examples=point.examples)
        about = {"against": point.against, "value": point.value}
        figures = figures_of(measured, "seconds")
        comparisons.append(Comparison("scaling", title, "s", figures, about, failures=failures_of(measured)))
    return comparisons
