"""Which evaluations are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.pages.evaluations import (
    Evaluations,
    best_in_words,
    is_worth_a_line,
    rows_worth_reading,
    wants_logarithms,
)
from mlpkit.training.checkpointing import BestTracker


@given(st.integers(1, 5000), st.integers(1, 60), st.data())
def test_the_first_the_best_and_the_last_evaluation_have_a_row(evaluations, most, data):
    best = data.draw(st.none() | st.integers(0, evaluations - 1))
    rows = rows_worth_reading(evaluations, best, most)
    assert rows == sorted(set(rows))
    assert len(rows) <= most
    assert rows[-1] == evaluations - 1
    if most >= 4:
        assert rows[0] == 0
        assert best is None or best in rows
    assert evaluations > most or len(rows) == evaluations


def test_a_hundred_evaluations_have_twenty_odd_rows_at_round_intervals():
    assert rows_worth_reading(100, 42) == [0, *range(4, 40, 5), 42, *range(44, 100, 5)]


def test_in_a_pipe_later_evaluations_are_printed_ever_more_seldom():
    printed = [i for i in range(1, 201) if is_worth_a_line(i)]
    early, late = [*range(1, 11), *range(12, 21, 2)], [*range(25, 51, 5), *range(60, 101, 10), *range(120, 201, 20)]
    assert printed == early + late


@pytest.mark.parametrize(
    ("evaluations", "best", "most", "rows"),
    [
        (25, 3, None, [*range(25)]),
        (26, 3, None, [0, *range(1, 26, 2), 3, 25]),
        (6, None, 4, [0, 4, 5]),
        (9, 2, 3, [6, 7, 8]),
        (44, 0, None, [0, *range(1, 44, 2)]),  # 22 regular ones and three more would be 25
        (46, 0, None, [0, *range(4, 46, 5), 45]),
    ],
)
def test_rows_are_at_the_closest_round_intervals_that_leave_room_for_the_first_best_and_last(
    evaluations, best, most, rows
):
    found = rows_worth_reading(evaluations, best, most or 25)
    assert found == sorted({*rows})


def test_the_best_evaluation_so_far_is_known_and_said_once_there_are_several():
    found, tracker = Evaluations(), BestTracker("loss")
    found.monitored(tracker)
    records = [{"iteration": 10 * i, "train_loss": loss} for i, loss in enumerate([3.0, 1.0, 2.0], start=1)]
    found.add(records[0])
    assert (found.best_position, found.best_line("*")) == (0, "")
    found.add(records[1])
    assert found.best_line("*") == "* best train loss 1.0000, at iteration 20"
    found.add(records[2])
    assert (found.records, found.best_position) == (records, 1)
    assert found.best_line("*") == "* best train loss 1.0000, at iteration 20"
    assert found.best_line() == "best train loss 1.0000, at iteration 20"
    assert tracker.best is None


def test_without_a_finite_evaluation_or_a_comparison_there_is_no_best():
    found = Evaluations()
    for record in ({"iteration": i, "train_loss": float("nan")} for i in (1, 2)):
        found.add(record)
    assert (found.best_position, found.best_line("*")) == (None, "")
    found.monitored(BestTracker("loss"))
    assert found.best_line("*") == ""
    assert best_in_words(BestTracker("loss"), found.records[0]) == ""


@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("loss", [0.5, 50.0], False),
        ("loss", [0.5, 50.01], True),
        ("loss", [1000.0, 50_000.0], False),
        ("loss", [0.0, 50.0], False),
        ("loss", [-1.0, 50.0], False),
        ("loss", [], False),
        ("accuracy", [0.001, 1.0], False),
    ],
)
def test_a_loss_that_falls_to_less_than_a_hundredth_wants_logarithms(name, values, wanted):
    assert wants_logarithms(name, values) is wanted
