"""The schedule that falls exponentially."""

from __future__ import annotations

import pytest

from mlpkit import ParameterError, Progress
from mlpkit_plugins.schedules.exponential import Exponential


def test_falls_smoothly_within_an_epoch():
    schedule = Exponential(first=4.0, factor=0.25)
    assert [schedule(Progress(step, step / 2, 5)) for step in range(5)] == [4, 2, 1, 0.5, 0.25]


def test_or_by_a_factor_in_each_step():
    schedule = Exponential(first=4.0, factor=0.5, unit="steps")
    assert [schedule(Progress(step, step / 10, 5)) for step in range(5)] == [4, 2, 1, 0.5, 0.25]


def test_however_long_it_goes_on_it_stays_finite():
    assert Exponential(1.0, 0.01, unit="steps")(Progress(10**9, 0.0, 2 * 10**9)) == 0.0


@pytest.mark.parametrize("factor", [0, 1.5])
def test_it_does_not_rise(factor):
    with pytest.raises(ParameterError, match="is out of range; expected a number, greater than 0 and at most 1"):
        Exponential(1.0, factor)
