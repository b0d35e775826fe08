"""Which numbers of a column stand for a missing value."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit_plugins.tables.column_guess import outlier_in, sentinels_in

RNG = np.random.default_rng(0)
TEMPERATURES = RNG.normal(15, 10, 200).round(1)
COUNTS = RNG.integers(0, 50, 200)


def with_number(numbers, number, rows=10):
    return np.concatenate([np.asarray(numbers, float), np.full(rows, float(number)), [np.nan]])


@pytest.mark.parametrize(
    ("numbers", "number"),
    [
        (TEMPERATURES, -999), (TEMPERATURES, 9999), (TEMPERATURES, -99.99), (TEMPERATURES, 999.9), (COUNTS, 999),
        (COUNTS, 99999), (COUNTS, -200), (RNG.gamma(2, 3, 200), -1),
    ],
)  # fmt: skip
def test_a_code_far_from_all_others_is_one(numbers, number):
    found = sentinels_in({"x": with_number(numbers, number)})["x"]
    assert (found.value, found.rows) == (number, 10)
    assert (found.least, found.greatest) == (numbers.min(), numbers.max())


def test_minus_one_below_counts_is_one_if_it_is_far_more_often_than_the_least_of_them():
    assert sentinels_in({"x": with_number(COUNTS, -1, 60)})["x"].value == -1
    assert sentinels_in({"x": with_number(COUNTS, -1, 5)}) == {}
    assert sentinels_in({"x": with_number(TEMPERATURES, -1, 60)}) == {}


@pytest.mark.parametrize(
    "numbers",
    [
        with_number(TEMPERATURES, -999, 4),
        with_number(RNG.integers(1, 6, 200), 9),
        with_number(COUNTS, 0, 100),
        with_number(COUNTS + 1000, 0),
        with_number(2 * COUNTS, 99),
        with_number(COUNTS, 7300),
        RNG.lognormal(0, 3, 500),
        np.full(30, np.nan),
        np.zeros(0),
    ],
    ids=[
        "few rows", "a scale of few numbers", "many zeros", "zeros far from others", "near", "a round number", "skewed",
        "missing", "empty",
    ],
)  # fmt: skip
def test_what_may_well_be_a_number_is_none(numbers):
    assert sentinels_in({"x": numbers}) == {}


def test_each_column_has_its_own():
    columns = {"a": with_number(COUNTS, -1, 90), "b": with_number(TEMPERATURES, -1)}
    assert {name: found.value for name, found in sentinels_in(columns).items()} == {"a": -1}
    columns = {"a": with_number(COUNTS, -200), "b": with_number(TEMPERATURES - 15, -200), "c": TEMPERATURES}
    assert outlier_in(columns["b"]).value == -200
    assert not outlier_in(columns["b"]).is_code
    assert {name: found.value for name, found in sentinels_in(columns).items()} == {"a": -200, "b": -200}
