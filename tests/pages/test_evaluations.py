"""Which evaluations are shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlpkit.pages.evaluations import is_worth_a_line, rows_worth_reading


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
