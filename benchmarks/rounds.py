"""Rounds in which contestants take turns, and what is made of their times."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from processes import ContestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contestants.roster import Entry


@dataclass(frozen=True)
class Side:
    """A contestant on a number of threads.

    Args:
        entry: the contestant.
        threads: how many threads, None for its own choice.
    """

    entry: Entry
    threads: int | None = None


@dataclass
class Measured:
    """What the rounds gave.

    Args:
        figures: of each side, what it reported in each round.
        failures: of each side that failed, why; it takes part no more, and has no figures.
    """

    figures: dict[Side, list[Mapping[str, float]]] = field(default_factory=dict)
    failures: dict[Side, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ratio:
    """A ratio over the rounds: in each, the two were measured one soon after the other.

    Args:
        median: its median.
        lowest: its lowest value.
        highest: its highest value.
    """

    median: float
    lowest: float
    highest: float


def turns(sides: Sequence[Side], rounds: int) -> list[list[Side]]:
    """Return who takes turns in each round: everyone once, and in each round another one first.

    Args:
        sides: who takes part.
        rounds: how many rounds.
    """
    return [[*sides[i % len(sides) :], *sides[: i % len(sides)]] for i in range(rounds)]


def take_turns(sides: Sequence[Side], rounds: int, measure: Callable[[Side], Mapping[str, float]]) -> Measured:
    """Measure each side once a round.

    Args:
        sides: who takes part.
        rounds: how many rounds.
        measure: measures a side, and returns figures by name.
    """
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
    """Return each contestant's best side and what it reported: the side whose median is lowest.

    Args:
        measured: what the rounds gave.
        name: the figure to go by.
    """
    best: dict[Entry, tuple[Side, list[float]]] = {}
    for side, reports in measured.figures.items():
        values = [report[name] for report in reports]
        if side.entry not in best or statistics.median(values) < statistics.median(best[side.entry][1]):
            best[side.entry] = (side, values)
    return best


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> Ratio:
    """Return theirs / ours, round by round.

    Args:
        theirs: a figure of each round.
        ours: the same of ours.
    """
    ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))
