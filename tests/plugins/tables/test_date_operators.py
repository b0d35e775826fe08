"""The parts of dates in operators: those of Python's datetime, to the bit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import Graph
from mlpkit.graph.evaluator import evaluate
from mlpkit_plugins.tables.table_operators import DateInGraph

FIRST, LAST = datetime(1750, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 - Hypothesis adds the zone

PARTS = {
    "elapsed": lambda time: time.timestamp() / 86_400,
    "year": lambda time: time.year,
    "month": lambda time: time.month,
    "day": lambda time: time.day,
    "yearday": lambda time: int(time.strftime("%j")),
    "weekday": lambda time: (int(time.strftime("%w")) - 1) % 7,
    "hour": lambda time: time.hour + time.minute / 60 + time.second / 3600,
}


def parts(times):
    """Return each part of each time, as operators compute it."""
    graph = Graph(np.dtype(np.float32))
    date = DateInGraph(graph, graph.feed("date", "float64", kind="date"))
    graph.outputs.update({name: date.part(name) for name in PARTS})
    values = evaluate(graph, {"date": np.array(times, np.float64)})
    return {name: values[name] for name in PARTS}


def expect_parts(times):
    found = parts([time.timestamp() for time in times])
    for name, part in PARTS.items():
        assert found[name].dtype == np.float64
        np.testing.assert_array_equal(found[name], [part(time) for time in times], err_msg=name)


def test_every_day_of_four_hundred_years():
    first = datetime(1799, 12, 31, 23, 59, 59, tzinfo=UTC)
    expect_parts([first + timedelta(days=day, seconds=day % 3) for day in range(146_100)])


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=1, max_size=20))
def test_any_second_that_python_has(times):
    expect_parts([time.replace(microsecond=0) for time in times])


@given(st.datetimes(FIRST, LAST, timezones=st.just(UTC)))
def test_microseconds_are_exact_for_centuries(time):
    expect_parts([time])


@pytest.mark.parametrize("name", PARTS)
def test_a_missing_date_has_no_parts(name):
    found = parts([np.nan, 0.0])[name]

    assert np.isnan(found).tolist() == [True, False]
