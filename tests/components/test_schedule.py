"""Rates: numbers or schedules."""

from __future__ import annotations

import math
from typing import Annotated

import pytest
from annotated_types import Lt

from mlpkit import ParameterError, Progress, Rate, Schedule
from mlpkit.components.component import Component
from mlpkit.components.schedule import OpenEndedProgress, rate_at, value_now
from mlpkit.errors import OpenEndedError

HALFWAY = Progress(step=50, epoch=0.5, total_steps=100)


class Linear(Schedule):
    """Goes down to nothing."""

    def __call__(self, progress):
        return 1 - progress.step // progress.total_steps


def test_a_training_that_ends_after_a_time_has_no_total_steps():
    progress = OpenEndedProgress()
    assert (progress.step, progress.epoch) == (0, 0.0)
    assert getattr(progress, "total_steps", None) is None
    assert not hasattr(progress, "steps")
    with pytest.raises(OpenEndedError, match="not known in advance: the training ends after a time"):
        rate_at(Linear(), progress)


def test_a_number_stays_what_it_is():
    assert rate_at(0.1, HALFWAY) == 0.1
    assert type(rate_at(1, HALFWAY)) is float


def test_a_schedule_is_asked():
    assert rate_at(Linear(), HALFWAY) == 1.0
    assert type(rate_at(Linear(), HALFWAY)) is float
    assert rate_at(Linear(), Progress(step=100, epoch=1.0, total_steps=100)) == 0.0


@pytest.mark.parametrize("reference", ["constant", {"constant": {"value": 1}}, None])
def test_an_unresolved_name_is_an_error(reference):
    with pytest.raises(TypeError, match="is a schedule's name, not a schedule; pass a number or a Schedule"):
        rate_at(reference, HALFWAY)


class Constant(Schedule):
    """Always the same."""

    value: object

    def __call__(self, progress):
        return self.value


class Nothing(Constant):
    """Forgets to return."""

    def __call__(self, progress):
        pass


class Rated(Component):
    """Takes rates within bounds, and a schedule without any."""

    kind = "layer"
    below: Annotated[Rate, Lt(1)]
    free: Schedule = Constant(0.5)
    maybe: Rate | None = None


@pytest.mark.parametrize(("name", "value"), [("below", 0.0), ("below", 0.75), ("free", -7.0), ("maybe", 7.0)])
def test_a_schedule_gives_values_in_the_range_of_its_parameter(name, value):
    rated = Rated(**{"below": 0.5, name: Constant(value)})
    assert value_now(rated, getattr(rated, name), HALFWAY) == value


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("below", 1.0, "a number, at least 0 and less than 1"),
        ("below", -0.25, "a number, at least 0 and less than 1"),
        ("below", math.nan, "a number, at least 0 and less than 1"),
        ("maybe", -0.125, "a number, at least 0"),
        ("maybe", math.inf, "a number, at least 0"),
    ],
)
def test_a_schedule_that_leaves_the_range_of_its_parameter_is_an_error(name, value, expected):
    rated = Rated(**{"below": 0.5, name: Constant(value)})
    with pytest.raises(ParameterError) as caught:
        value_now(rated, getattr(rated, name), Progress(1233, 0.0, 9999))
    assert str(caught.value) == (
        f"{name}: the schedule of Rated gives {value:g} before step 1,234; expected {expected}; "
        "choose a schedule that stays in this range"
    )


def test_a_schedule_returns_a_number():
    with pytest.raises(TypeError, match=r"^it returned None; expected a number$"):
        rate_at(Nothing(1.0), HALFWAY)
