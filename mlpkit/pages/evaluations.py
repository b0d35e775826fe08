"""The evaluations of a training: which is the best, and which are worth a row or a line."""

from __future__ import annotations

import copy
from itertools import count
from typing import TYPE_CHECKING, Final

from mlpkit.runs.json_files import decisive_split
from mlpkit.terminal.figures import figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlpkit.training.checkpointing import BestTracker
    from mlpkit.training.evaluation import Record


class Evaluations:
    """Keeps the evaluations of a training, and knows which is the best.

    Attributes:
        records: the evaluations so far; of a run that is resumed, those since then.
        best_position: which of them, counted from 0, is the best of the run; None if it was done before a resume.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.best_position: int | None = None
        self._tracker: BestTracker | None = None

    def monitored(self, tracker: BestTracker) -> None:
        """Compare the evaluations to come with the best of those before."""
        self._tracker = copy.copy(tracker)

    def add(self, record: Record) -> None:
        """Take in an evaluation, which may be the best so far."""
        if self._tracker is not None and self._tracker.improved(record):
            self.best_position = len(self.records)
        self.records.append(record)

    def best_line(self, mark: str = "") -> str:
        """Return a line about the best of several evaluations, or nothing."""
        if self._tracker is None or len(self.records) < 2:
            return ""
        best = best_in_words(self._tracker, self.records[-1])
        return f"{mark} {best}" if mark and best else best


def best_in_words(tracker: BestTracker, record: Record, when: str = "") -> str:
    """Return the best value and when, by default at which iteration; empty if no evaluation was finite."""
    if tracker.best is None:
        return ""
    place = when or f"at iteration {tracker.best.step}"
    return f"best {decisive_split(record)} {tracker.monitor} {figure(tracker.best.value)}, {place}"


MOST_ROWS: Final = 25


def rows_worth_reading(evaluations: int, best: int | None, most: int = MOST_ROWS) -> list[int]:
    """Return the positions of the evaluations to show: the first, the best and the last, and regular ones between."""
    if evaluations <= most or most < 4:
        return list(range(max(0, evaluations - most), evaluations))
    step = next(step for step in _round_numbers() if evaluations // step <= most - 3)
    always = {0, evaluations - 1} | ({best} if best is not None else set())
    return sorted(always.union(range(step - 1, evaluations, step)))


def _round_numbers() -> Iterator[int]:
    """Go through 1, 2, 5, 10, 20, 50 and so on."""
    return (digit * 10**power for power in count() for digit in (1, 2, 5))


def is_worth_a_line(evaluation: int) -> bool:
    """Whether an evaluation, counted from 1, is printed where nothing can be taken back: ever fewer, the later.

    They are 1 to 10, every second to 20, every fifth to 50, every tenth to 100, every twentieth to 200, and so on.
    """
    step = next(step for step in _round_numbers() if evaluation <= 10 * step)
    return evaluation % step == 0


LOGARITHMIC_FROM: Final = 100
"""From which ratio of the largest to the smallest loss on its axis is logarithmic."""


def wants_logarithms(name: str, values: Sequence[float]) -> bool:
    """Whether curves are easier to read along a logarithmic axis."""
    return name == "loss" and bool(values) and 0 < LOGARITHMIC_FROM * min(values) < max(values)
