"""Timing in rounds: contestants take turns, so that other load affects all, and a ratio is of the same round."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from processes import ContestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contestants.roster import Entry

T = TypeVar("T")


def turns(sides: Sequence[T], rounds: int) -> list[list[T]]:
    """Return the order of each round: every side once, and another one first each time."""
    return [[*sides[i % len(sides) :], *sides[: i % len(sides)]] for i in range(rounds)]


def interleaved(ways: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Call each way once a round, and return the results by name."""
    found: dict[str, list[T]] = {name: [] for name in ways}
    for order in turns([*ways], rounds):
        for name in order:
            found[name].append(ways[name]())
    return found


def seconds_of(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds that a call takes."""
    began = clock()
    call()
    return clock() - began


def timed(call: Callable[[], object]) -> dict[str, float]:
    """Return the seconds of a call by the clock, and of the processor, with those of processes that ended in it."""
    children = os.times()[2:4]
    computing = time.process_time()
    seconds = seconds_of(call)
    processor = time.process_time() - computing + sum(os.times()[2:4]) - sum(children)
    return {"seconds": seconds, "processor_seconds": processor}


@dataclass(frozen=True)
class Ratio:
    """The median of a ratio over the rounds, with the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.lowest:.3f} to {self.highest:.3f})"


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> Ratio:
    """Return theirs / ours, round by round."""
    ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


@dataclass(frozen=True)
class Side:
    """A contestant on a number of threads, None for its own choice."""

    entry: Entry
    threads: int | None = None


@dataclass
class Measured:
    """The reports of each side by round, and why sides failed, which then have no reports."""

    figures: dict[Side, list[Mapping[str, float]]] = field(default_factory=dict)
    failures: dict[Side, str] = field(default_factory=dict)


def take_turns(sides: Sequence[Side], rounds: int, measure: Callable[[Side], Mapping[str, float]]) -> Measured:
    """Measure each side once a round; one that fails takes part no more."""
    measured = Measured({side: [] for side in sides})
    for order in turns(sides, rounds):
        for side in order:
            if side in measured.failures:
                continue
            try:
                measured.figures[side].append(measure(side))
            except ContestError as error:
                measured.failures[side] = str(error)
                del measured.figures[side]
    return measured


def best_sides(measured: Measured, name: str) -> dict[Entry, tuple[Side, list[float]]]:
    """Return each contestant's side with the lowest median of a figure, and the figure in each round."""
    best: dict[Entry, tuple[Side, list[float]]] = {}
    for side, reports in measured.figures.items():
        values = [report[name] for report in reports]
        if side.entry not in best or statistics.median(values) < statistics.median(best[side.entry][1]):
            best[side.entry] = (side, values)
    return best
