"""The keys of ``training.early_stopping``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from mlpkit.spec.section import OptionalSectionType


@dataclass(frozen=True)
class EarlyStopping:
    """When a training that no longer gets better ends.

    Args:
        metric: loss, or one of the metrics, whose value on the validation data is looked at.
        patience: evaluations in a row that may be no better before the training ends.
        minimum_change: by how much the value must be better to count.
    """

    metric: str = "loss"
    patience: Annotated[int, Ge(1)] = 5
    minimum_change: Annotated[float, Ge(0)] = 0.0


class EarlyStoppingType(OptionalSectionType):
    """The section ``early_stopping``."""

    def __init__(self) -> None:
        super().__init__("training.early_stopping", EarlyStopping)
