"""The schedule that falls in steps."""

from __future__ import annotations

from dataclasses import KW_ONLY
from math import floor
from typing import Annotated, Any, Final, Literal

from annotated_types import Ge, Gt, Le

from mlpkit import Progress, Schedule

ROUNDING: Final = 2**-50
"""Relative error by which t / every may be too small: t, every and the quotient are each rounded by up to 2⁻⁵³.

In any training of fewer than 2⁵⁰ steps, one step is a larger share of t, so that no fall comes a step early.
"""


class Step(Schedule):
    """Falls by a factor at regular intervals.

        value(t) = first factor^⌊t / every⌋

    where t is the number of epochs so far, fractions included, or of steps.

    Args:
        first: the value of the first step.
        every: length of the intervals, in the unit; a fraction of an epoch is allowed.
        factor: factor of each fall.
        unit: what t counts.

    Source: He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition (2016), section 4.2, where the learning
        rate is divided by 10 at set times.
    """

    first: Annotated[float, Gt(0)]
    every: Annotated[float, Ge(1e-6)]
    _: KW_ONLY
    factor: Annotated[float, Gt(0), Le(1)] = 0.1
    unit: Literal["epochs", "steps"] = "epochs"

    def __call__(self, progress: Progress) -> float:
        """Return the value for the next step."""
        t = progress.epoch if self.unit == "epochs" else progress.step
        return self.first * self.factor ** floor(t / self.every * (1 + ROUNDING))

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show a fall to a tenth after each 30 epochs, and to a half after each 4 steps."""
        return [{"first": 0.1, "every": 30}, {"first": 0.1, "every": 4, "factor": 0.5, "unit": "steps"}]
