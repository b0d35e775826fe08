"""The keys of ``training.moving_average``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Lt

from mlpkit.spec.section import OptionalSectionType


@dataclass(frozen=True)
class MovingAverage:
    """How weights are averaged over the steps.

    Args:
        decay: what the weights of a step count for, compared with those of the next; about 1 / (1 - decay) steps count.
    """

    decay: Annotated[float, Gt(0), Lt(1)] = 0.999


class MovingAverageType(OptionalSectionType):
    """The section ``moving_average``."""

    def __init__(self) -> None:
        super().__init__("training.moving_average", MovingAverage)
