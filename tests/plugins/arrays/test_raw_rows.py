"""Raw rows are detected if that is clear, and standardized rows are never taken for raw ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlpkit_plugins.arrays.raw_rows import raw_number

FINITE = st.floats(-1e12, 1e12, width=64)


@given(arrays(np.float64, st.tuples(st.integers(1, 60), st.integers(1, 4)), elements=FINITE))
def test_standardized_training_rows_are_never_taken_for_raw(raw):
    means, stds = raw.mean(axis=0), raw.std(axis=0)
    stds = np.where(stds <= 1e-12 * np.abs(means), 1.0, stds)
    standardized = (raw - means) / stds
    assert raw_number(standardized, means, stds) is None
    for row in standardized:
        assert raw_number(row[None], means, stds) is None


@given(st.integers(1, 20), st.floats(0.5, 2), st.integers(0, 2**32 - 1))
def test_raw_rows_of_large_numbers_are_found(rows, scale, seed):
    means, stds = np.array([50_000.0, 0.5]) * scale, np.array([10_000.0, 0.1]) * scale
    raw = means + stds * np.random.default_rng(seed).uniform(-3, 3, (rows, 2))
    found = raw_number(raw, means, stds)
    assert (found.row, found.element) == (0, 0)
    assert found.value == raw[0, 0]


@pytest.mark.parametrize("far", [999.0, 1e9, np.nan, np.inf])
def test_an_outlier_is_no_raw_row(far):
    assert raw_number(np.array([[far, 0.1]]), np.array([5000.0, 0.5]), np.array([100.0, 0.1])) is None


def test_a_few_rows_that_might_be_raw_don_t_count():
    rows = np.zeros((5, 1))
    rows[:2] = 5000
    assert raw_number(rows, np.array([5000.0]), np.array([100.0])) is None
    rows[2] = 5000
    assert raw_number(rows, np.array([5000.0]), np.array([100.0])).row == 0


@pytest.mark.parametrize(
    ("value", "mean", "found"),
    [(1000.0, 1000, False), (1001.0, 1001, True), (-1001.0, -1001, True), (5000.0, 4000, True), (5000.0, 3999, False)],
)
def test_a_raw_number_is_above_a_thousand_and_within_ten_deviations(value, mean, found):
    rows = np.array([[0.5, value]])
    assert (raw_number(rows, np.array([0.5, mean]), np.array([1.0, 100.0])) == (0, 1, value)) == found
    assert raw_number(rows, np.array([11.0, mean]), np.array([1.0, 100.0])) is None
