"""The schedule that falls exponentially."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Annotated, Any, Literal

from annotated_types import Gt, Le

from mlpkit import Progress, Schedule


class Exponential(Schedule):
    """Falls by the same factor in every epoch, or in every step.

        value(t) = first factor^t

    where t is the number of epochs so far, fractions included, or of steps.

    Args:
        first: the value of the first step.
        factor: factor per epoch or per step.
        unit: what t counts.

    Source: Senior, Heigold, Ranzato and Yang, An Empirical Study of Learning Rates in Deep Neural Networks for Speech
        Recognition (2013), with a power of 10 for the factor.
    """

    first: Annotated[float, Gt(0)]
    factor: Annotated[float, Gt(0), Le(1)]
    _: KW_ONLY
    unit: Literal["epochs", "steps"] = "epochs"

    def __call__(self, progress: Progress) -> float:
        """Return the value for the next step."""
        t = progress.epoch if self.unit == "epochs" else progress.step
        return self.first * self.factor**t

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show a fall by a twentieth in each epoch, and by a thousandth in each step."""
        return [{"first": 0.1, "factor": 0.95}, {"first": 0.1, "factor": 0.999, "unit": "steps"}]
