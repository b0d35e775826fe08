"""Statistics of arrays, of odd ones too."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.verbs.trace.trace import BINS, distribution_of


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_statistics_are_those_of_the_textbook(values):
    found = distribution_of(np.array(values))
    assert found.mean == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-9)
    assert found.std == pytest.approx(statistics.pstdev(values), rel=1e-6, abs=1e-6)
    assert (found.min, found.max) == (min(values), max(values))
    assert found.norm == pytest.approx(math.sqrt(math.fsum(v * v for v in values)), rel=1e-9)
    assert found.zeros == values.count(0) / len(values)
    assert (sum(found.histogram), found.nonfinite, found.shape) == (len(values), 0, (len(values),))
    assert len(found.edges()) == len(found.histogram) + 1


def test_a_histogram_counts_between_its_edges():
    values = np.array([0.0, 0.4, 1.0, 23.9, 24.0])
    found = distribution_of(values)
    edges = found.edges()
    assert (len(found.histogram), edges[0], edges[1], edges[-1]) == (BINS, 0.0, 1.0, 24.0)
    assert (found.histogram[0], found.histogram[1], found.histogram[-1]) == (2, 1, 2)


def test_numbers_that_are_not_finite_are_counted_and_left_out():
    found = distribution_of(np.array([[1.0, np.nan, -np.inf], [3.0, np.inf, 0.0]], np.float32))
    assert (found.nonfinite, found.min, found.max, found.zeros) == (3, 0.0, 3.0, 1 / 6)
    assert found.mean == pytest.approx(4 / 3)
    none = distribution_of(np.array([np.nan]))
    assert (none.nonfinite, none.histogram, none.zeros) == (1, (), 0.0)
    assert all(map(math.isnan, (none.mean, none.std, none.min, none.max)))
    assert none.norm == 0.0


@pytest.mark.parametrize("value", [1.7e308, 5e-324, 0.0, -3.0])
def test_the_largest_and_the_smallest_numbers(value):
    found = distribution_of(np.array([value, -value]))
    assert (found.min, found.max, found.mean) == (-abs(value), abs(value), 0.0)
    assert sum(found.histogram) == 2
    constant = distribution_of(np.full((2, 2), value))
    assert (constant.min, constant.max, constant.histogram) == (value, value, (4,))


def test_an_empty_array():
    found = distribution_of(np.empty((0, 3)))
    assert (found.shape, found.nonfinite, found.histogram) == ((0, 3), 0, ())


def test_neighbouring_numbers_have_a_histogram():
    found = distribution_of(np.array([1.0, np.nextafter(1.0, 2.0)]))
    assert (found.histogram[0], found.histogram[-1], sum(found.histogram)) == (1, 1, 2)
