"""The schedule that falls exponentially."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import ParameterError, Progress
from mlpkit_plugins.schedules.exponential import Exponential


def test_falls_smoothly_within_an_epoch():
    schedule = Exponential(first=4.0, factor=0.25)
    assert [schedule(Progress(step, step / 2, 5)) for step in range(5)] == [4, 2, 1, 0.5, 0.25]


@settings(deadline=None, max_examples=50)
@given(first=st.floats(1e-6, 1e3), factor=st.floats(0.01, 1))
def test_in_steps_it_is_pytorchs(learning_rates, first, factor):
    schedule = Exponential(first, factor, unit="steps")
    expected = learning_rates(first, lambda schedulers, optimizer: schedulers.ExponentialLR(optimizer, factor))
    assert [schedule(Progress(step, 0.0, 100)) for step in range(100)] == pytest.approx(expected, rel=1e-12)


def test_however_long_it_goes_on_it_stays_finite():
    assert Exponential(1.0, 0.01, unit="steps")(Progress(10**9, 0.0, 2 * 10**9)) == 0.0


@pytest.mark.parametrize("factor", [0, 1.5])
def test_it_does_not_rise(factor):
    with pytest.raises(ParameterError, match="is out of range; expected a number, greater than 0 and at most 1"):
        Exponential(1.0, factor)
