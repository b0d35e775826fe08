"""How much slower than usual the machine is now, for limits in seconds that other work on it must not break."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

USUAL = 0.05
"""Seconds that the loop takes on the machine of the figures in ``docs/how-it-is-tested.md``, without other work."""


def slowness(clock: Callable[[], float] = process_time) -> float:
    """Return how many times as long as usual a loop takes, at least 1.

    Args:
        clock: counts the seconds of the limit; ``perf_counter`` if the limit is for waiting.
    """
    begin = clock()
    texts = {}
    for number in range(300_000):
        texts[number % 1000] = str(number)
    return max(1.0, (clock() - begin) / USUAL)
