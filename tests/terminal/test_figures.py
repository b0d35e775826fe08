"""How numbers and values are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.network.coverage import Held, RegionsFound
from mlpkit.statistics import Interval
from mlpkit.terminal.figures import (
    age,
    duration,
    figure,
    figures,
    plus_minus,
    plus_minus_all,
    probability,
    promise,
    regions_table,
    short_duration,
    signed,
    with_ends,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (0.43124, "0.4312"),
        (2.30258, "2.3026"),
        (9.9999, "9.9999"),
        (10.0, "10.00"),
        (12.345, "12.35"),
        (-999.99, "-999.99"),
        (1000.0, "1000"),
        (-0.5, "-0.5000"),
        (1234.5, "1234"),
        (0.001, "0.0010"),
        (0.00099, "9.90e-04"),
        (0.0000321, "3.21e-05"),
        (113_321.4, "113321"),
        (-1_133_214, "-1133214"),
        (9_999_998.0, "9999998"),
        (9_999_999.0, "1.00e+07"),
        (1.5e9, "1.50e+09"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_a_figure_is_short(value, text):
    assert figure(value) == text


@given(st.floats(1e-99, 1e99))
def test_a_figure_needs_no_more_than_eight_characters(value):
    text = figure(value)
    assert len(text) <= 8
    assert float(text) == pytest.approx(value, rel=0.05, abs=5e-5)


def test_figures_of_a_split_stand_on_a_line():
    assert figures({"loss": 0.5, "accuracy": 0.91}) == "loss 0.5000, accuracy 0.9100"
    assert figures({"loss": 508_123_456.0, "mean": 12.345}) == "loss 508,100,000, mean 12.35"
    assert figures({"gain": -1000.0, "table": [[1, 2]], "least": 999.5}) == "gain -1,000, least 999.50"


def test_a_mean_has_half_the_width_of_its_interval_behind_it():
    found, alone = Interval(3, 0.97124, 0.01, 0.96964, 0.97284), Interval(1, 0.5, None, None, None)
    assert (plus_minus(found), plus_minus(alone)) == ("0.9712 ± 0.0016", "0.5000")
    assert plus_minus_all({"loss": found, "accuracy": alone}) == "loss 0.9712 ± 0.0016, accuracy 0.5000"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (185, "3 min 05 s"),
        (4320, "1 h 12 min"),
        (360000, "100 h 00 min"),
    ],
)
def test_a_duration_is_as_precise_as_it_deserves(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.2349, "1.23 s"), (1, "1 s"), (0.9994, "999 ms"), (0.000834, "0.834 ms"), (73.4, "73.4 s")]
)
def test_a_short_duration_has_three_digits(seconds, text):
    assert short_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3.0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (119, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86_399, "23 h"),
        (86_400, "1 d"),
        (200_000, "2 d"),
    ],
)
def test_an_age_is_in_whole_units_of_one_kind(seconds, text):
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [(0.01823, 0.01, "+0.0182"), (-0.5, 0.001, "-0.5000"), (0.000123, 0.00099, "+1.23e-04"), (0.0, 1.0, "+0.0000")],
)
def test_a_difference_has_a_sign_and_more_digits_in_a_narrow_interval(value, width, text):
    assert signed(value, width) == text


@pytest.mark.parametrize(("value", "text"), [(0.0305, "0.03"), (0.0316, "0.032"), (1e-4, "0.0001"), (9e-5, "< 0.0001")])
def test_a_small_p_value_is_not_written_out(value, text):
    assert probability(value) == text


def test_a_value_has_the_ends_of_its_interval_in_brackets():
    assert with_ends(0.97124, 0.9611, 0.97866) == "0.9712 (0.9611 to 0.9787)"
    assert with_ends(0.97124, None, 0.97866) == with_ends(0.97124, 0.9611, None) == "0.9712"


FOUND = RegionsFound(
    0.9, 1234, "", True, [Held("all", 5678, 0.9123, 1.25, (0.884, 0.9155)), Held("b", 21, 0.75, 2.5, None)]
)


def test_what_regions_hold_is_a_table():
    assert promise(FOUND) == "90 % promised, by 1,234 held-out rows"
    assert regions_table(FOUND) == [
        ["", "rows", "held", "classes", "in 95 % of tests"],
        ["all", "5,678", "91.2 %", "1.2500", "88.4 to 91.5 %"],
        ["b", "21", "75.0 %", "2.5000", ""],
    ]
    doubted = FOUND._replace(promised=0.9995, doubt="there are too few", are_sets=False)
    assert promise(doubted) == "99.95 % promised, by 1,234 held-out rows; no guarantee: there are too few"
    assert regions_table(doubted)[:2] == [["", "rows", "held", "width"], ["all", "5,678", "91.2 %", "1.2500"]]
