"""How fast training goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Throughput:
    """The average pace since the start, evaluations included: the rest is evaluated as often.

    Args:
        total: steps that the whole training takes, if that is known.
        first: steps done before the start, in a run that is resumed.
        clock: returns a time in seconds.
    """

    def __init__(self, total: int | None, first: int = 0, clock: Callable[[], float] = time.perf_counter) -> None:
        self._total = total
        self._first = first
        self._clock = clock
        self._began = clock()

    def steps_per_second(self, step: int) -> float:
        """Return the number of steps done in a second, on average."""
        seconds = self._clock() - self._began
        return (step - self._first) / seconds if seconds > 0 else 0.0

    def seconds_left(self, step: int) -> float:
        """Return how long the rest will take at that pace; infinity if that isn't known yet, or can't be."""
        pace = self.steps_per_second(step)
        return (self._total - step) / pace if pace > 0 and self._total is not None else float("inf")
