"""Schedules: a value that changes during training, such as the learning rate."""

from __future__ import annotations

import math
import sys
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from annotated_types import Ge

from mlpkit.components.component import Component
from mlpkit.components.schema.component_types import ComponentOfKind, OfKind
from mlpkit.components.schema.context import ValueType
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.schema.types import NumberType, without_null
from mlpkit.errors import OpenEndedError, ParameterError


@dataclass
class Progress:
    """How far training has come.

    Args:
        step: steps done before this one, from 0.
        epoch: passes over the training data done, a fraction included.
        total_steps: steps of the whole training; reading it is an error if training ends after a time.
    """

    step: int
    epoch: float
    total_steps: int


START: Final = Progress(0, 0.0, total_steps=sys.maxsize)
"""The start of a long training, whose values schedules have outside training."""


class OpenEndedProgress(Progress):
    """Progress of a training that ends after a time, so that its number of steps isn't known."""

    def __init__(self) -> None:
        self.step = 0
        self.epoch = 0.0

    def __repr__(self) -> str:
        return f"OpenEndedProgress(step={self.step}, epoch={self.epoch})"

    @property
    def total_steps(self) -> int:  # type: ignore[override]  # it is only read
        """Refuse, since they aren't known.

        Raises:
            OpenEndedError: always.
        """
        raise OpenEndedError("the number of steps is not known in advance: the training ends after a time")


class Schedule(Component):
    """A value as a function of training progress."""

    kind: ClassVar[str] = "schedule"

    @abstractmethod
    def __call__(self, progress: Progress) -> float:
        """Return the value for the step that comes next."""


Rate: TypeAlias = Annotated[
    float | Schedule | str | Mapping[str, Any], OfKind("schedule", literal=Annotated[float, Ge(0)])
]
"""A constant number from 0 up, or a schedule; ``Annotated[Rate, Lt(1)]`` for one that stays below 1."""


def rate_at(rate: Rate, progress: Progress) -> float:
    """Return the value of a rate for the step that comes next; a ``TypeError`` if it is still a schedule's name."""
    if isinstance(rate, int | float):
        return float(rate)
    if isinstance(rate, Schedule):
        value = rate(progress)
        if value is None:
            raise TypeError("it returned None; expected a number")
        return float(value)
    raise TypeError(f"the rate {rate!r} is a schedule's name, not a schedule; pass a number or a Schedule")


def value_now(component: Component, rate: Rate, progress: Progress) -> float:
    """Return the value of a component's rate for the step that comes next, within the range of the parameter."""
    value = rate_at(rate, progress)
    for field in schema_of(type(component)).fields:
        expected = out_of_range(value, field.type) if component._arguments.get(field.name) is rate else ""
        if expected:
            owner = getattr(component, "path", "") or component.registered_name
            message = f"the schedule of {owner} gives {value:g} before step {progress.step + 1:,}"
            remedy = "choose a schedule that stays in this range"
            raise ParameterError(field.name, message, expected=expected, remedy=remedy)
    return value


def out_of_range(value: float, kind: ValueType) -> str:
    """Return what a parameter's type expects of its schedule's values; nothing if a value is as expected."""
    kind = without_null(kind)
    number = kind.literal if isinstance(kind, ComponentOfKind) and kind.kinds == (Schedule.kind,) else None
    if not isinstance(number, NumberType):
        return ""
    holds = math.isfinite(value) and number.holds(value)
    return "" if holds else number.describe()
