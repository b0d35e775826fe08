"""The schedule of several cosine waves, each about twice as long as the one before."""

from __future__ import annotations

from dataclasses import KW_ONLY
from math import cos, log2, pi
from typing import Annotated, Any

from annotated_types import Ge, Gt

from mlpkit import Progress, Schedule


class Coslog(Schedule):
    """Rises from zero and falls back to zero in waves, each about twice as long as the one before.

        value(t) = peak ½ (1 - cos(2π log₂(1 + (2^cycles - 1) t))),  t = step / T

    where step is the number of steps taken so far, and T the number of steps of the whole training. The first step has
    the value 0.

    Args:
        peak: the largest value.
        cycles: number of waves.

    Raises:
        OpenEndedError: the training ends after a given time, so its number of steps isn't known.

    Source: Holzmüller, Grinsztajn and Steinwart, Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
        Data (2024), section 3.
    """

    peak: Annotated[float, Gt(0)]
    _: KW_ONLY
    cycles: Annotated[int, Ge(1)] = 4

    def __call__(self, progress: Progress) -> float:
        """Return the value for the next step."""
        t = progress.step / progress.total_steps
        return self.peak * 0.5 * (1 - cos(2 * pi * log2(1 + (2**self.cycles - 1) * t)))

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show four waves, and one."""
        return [{"peak": 0.04}, {"peak": 0.04, "cycles": 1}]
