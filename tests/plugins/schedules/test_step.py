"""The schedule that falls in steps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import ParameterError, Progress
from mlpkit_plugins.schedules.step import Step


def test_falls_at_whole_multiples_of_epochs():
    schedule = Step(first=1.0, every=2)
    found = [schedule(Progress(step, step / 3, 15)) for step in range(15)]
    assert found == pytest.approx([1.0] * 6 + [0.1] * 6 + [0.01] * 3)


def test_parts_of_an_epoch_will_do():
    schedule = Step(first=1.0, every=0.5, factor=0.5)
    assert [schedule(Progress(step, step / 4, 8)) for step in range(8)] == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


@settings(deadline=None, max_examples=100)
@given(steps_per_epoch=st.integers(1, 1000), data=st.data())
def test_parts_of_an_epoch_that_are_whole_steps_end_with_them(steps_per_epoch, data):
    every = data.draw(st.integers(1, 3 * steps_per_epoch))
    schedule = Step(first=1.0, every=every / steps_per_epoch, factor=0.999)
    steps = range(0, 20 * every, max(1, every // 3))
    found = [schedule(Progress(step, step / steps_per_epoch, 20 * every)) for step in steps]
    assert found == [0.999 ** (step // every) for step in steps]


def test_steps_may_be_counted_in_place_of_epochs():
    schedule = Step(first=1.0, every=2, factor=0.5, unit="steps")
    assert [schedule(Progress(step, step / 10, 6)) for step in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_a_tenth_of_an_epoch_of_ten_steps_is_a_step():
    schedule = Step(first=1.0, every=0.1, factor=0.5)
    assert [schedule(Progress(step, step / 10, 50)) for step in range(50)] == [0.5**step for step in range(50)]


def test_however_long_it_goes_on_it_stays_finite():
    assert Step(1.0, 1, factor=0.01, unit="steps")(Progress(10**9, 0.0, 2 * 10**9)) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"first": 0, "every": 1}, "first: 0 is out of range; expected a number, greater than 0"),
        ({"first": 1, "every": 0}, "every: 0 is out of range; expected a number, at least 1e-06"),
        ({"first": 1, "every": 1e-320}, "every: 1e-320 is out of range; expected a number, at least 1e-06"),
        (
            {"first": 1, "every": 1, "factor": 2},
            "factor: 2 is out of range; expected a number, greater than 0 and at most 1",
        ),
    ],
)
def test_a_wrong_parameter_is_refused(arguments, message):
    with pytest.raises(ParameterError) as caught:
        Step(**arguments)
    assert str(caught.value) == message
