"""The schedule that falls along half a cosine."""

from __future__ import annotations

from math import cos, pi
from typing import Annotated, Any

from annotated_types import Ge, Gt

from mlpkit import ParameterError, Progress, Schedule


class Cosine(Schedule):
    """Falls along half a cosine over the whole training: slowly, then faster, and slowly again.

        value(step) = last + ½ (first - last) (1 + cos(π step / T))

    where step is the number of steps taken so far, and T the number of steps of the whole training.

    Args:
        first: the value of the first step.
        last: the value after the last step.

    Raises:
        ParameterError: ``last`` is greater than ``first``.
        OpenEndedError: the training ends after a given time, so its number of steps isn't known.

    Source: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2017), equation 5, without
        restarts.
    """

    def __init__(self, first: Annotated[float, Gt(0)], *, last: Annotated[float, Ge(0)] = 0.0) -> None:
        if last > first:
            raise ParameterError("last", f"{last:g} is greater than first, {first:g}", expected=f"at most {first:g}")
        self.first = first
        self.last = last

    def __call__(self, progress: Progress) -> float:
        """Return the value for the next step."""
        return self.last + 0.5 * (self.first - self.last) * (1 + cos(pi * progress.step / progress.total_steps))

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show a fall to zero, and to a hundredth."""
        return [{"first": 0.1}, {"first": 0.1, "last": 0.001}]
