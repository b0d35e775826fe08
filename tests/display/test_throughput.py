"""How fast training goes."""

from __future__ import annotations

import pytest

from mlpkit.display.display import Throughput


def test_the_rest_takes_as_long_as_the_average_so_far():
    now = [100.0]
    pace = Throughput(1000, clock=lambda: now[0])
    assert pace.steps_per_second(0) == 0
    assert pace.seconds_left(0) == float("inf")
    now[0] = 104.0
    assert pace.steps_per_second(200) == 50
    assert pace.seconds_left(200) == pytest.approx(16)
    now[0] = 120.0
    assert pace.seconds_left(1000) == 0


def test_steps_done_before_the_start_took_no_time():
    now = [100.0]
    pace = Throughput(1000, first=400, clock=lambda: now[0])
    now[0] = 102.0
    assert pace.steps_per_second(500) == 50
    assert pace.seconds_left(500) == pytest.approx(10)


def test_where_the_end_is_not_known_neither_is_the_time_left():
    now = [100.0]
    pace = Throughput(None, clock=lambda: now[0])
    now[0] = 102.0
    assert pace.steps_per_second(500) == 250
    assert pace.seconds_left(500) == float("inf")


def test_the_clock_runs_by_itself():
    pace = Throughput(10)
    assert pace.steps_per_second(5) > 0
