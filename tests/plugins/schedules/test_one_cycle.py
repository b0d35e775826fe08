"""The schedule that rises once and falls once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import ParameterError, Progress
from mlpkit_plugins.schedules.one_cycle import OneCycle


def values(schedule, total):
    return [schedule(Progress(step, step / 7, total)) for step in range(total)]


def test_rises_to_the_peak_and_falls_to_nothing_in_straight_lines():
    assert values(OneCycle(peak=8.0, warmup=0.5), 8) == [2, 4, 6, 8, 8, 6, 4, 2]
    assert values(OneCycle(peak=6.0, warmup=0.25), 8) == [3, 6, 6, 5, 4, 3, 2, 1]


def test_without_a_warmup_it_only_falls():
    assert values(OneCycle(peak=4.0, warmup=0), 4) == [4, 3, 2, 1]


@given(st.floats(1e-6, 1e3), st.floats(0, 0.99), st.integers(1, 200))
def test_rises_then_falls_and_stays_between_zero_and_the_peak(peak, warmup, total):
    found = values(OneCycle(peak, warmup), total)
    assert all(0 < value <= peak for value in found)
    top = found.index(max(found))
    assert found[:top] == sorted(found[:top])
    assert found[top:] == sorted(found[top:], reverse=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"peak": 0.0}, "peak: 0.0 is out of range; expected a number, greater than 0"),
        (
            {"peak": 1, "warmup": 1.0},
            "warmup: 1.0 is out of range; expected a number, at least 0 and less than 1",
        ),
        ({}, "OneCycle: missing parameter 'peak' of OneCycle; expected peak: a number, greater than 0"),
    ],
)
def test_a_wrong_parameter_is_refused(arguments, message):
    with pytest.raises(ParameterError) as caught:
        OneCycle(**arguments)
    assert str(caught.value) == message
