"""The schedule that is constant for half of the training, and then falls along half a cosine."""

from __future__ import annotations

from math import cos, pi
from typing import Annotated, Any

from annotated_types import Gt

from mlpkit import Progress, Schedule


class FlatCosine(Schedule):
    """Is constant for half of the training, then falls to zero along half a cosine.

        value(t) = first ½ (1 + cos(π (max(1, 2t) - 1))),  t = step / T

    where step is the number of steps taken so far, and T the number of steps of the whole training.

    Args:
        first: the value during the first half.

    Raises:
        OpenEndedError: the training ends after a given time, so its number of steps isn't known.

    Source: Holzmüller, Grinsztajn and Steinwart, Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
        Data (2024), appendix A, where it is called flat_cos.
    """

    first: Annotated[float, Gt(0)]

    def __call__(self, progress: Progress) -> float:
        """Return the value for the next step."""
        t = progress.step / progress.total_steps
        return self.first * 0.5 * (1 + cos(pi * (max(1.0, 2 * t) - 1)))

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show a fall from a usual rate of dropout."""
        return [{"first": 0.15}]
