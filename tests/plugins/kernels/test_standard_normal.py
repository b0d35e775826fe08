"""The standard normal distribution."""

from __future__ import annotations

from math import erfc, exp, pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit_plugins.kernels.elementwise_with_numpy import standard_normal


@settings(max_examples=300, deadline=None)
@given(st.floats(-37, 37))
def test_every_digit_counts_even_where_the_distribution_is_tiny(x):
    distribution, density = standard_normal(np.array([x]))
    assert distribution[0] == pytest.approx(erfc(-x / sqrt(2)) / 2, rel=3e-13, abs=0)  # erfc loses some digits itself
    assert density[0] == pytest.approx(exp(-x * x / 2) / sqrt(2 * pi), rel=3e-13, abs=0)


def test_no_place_is_worse_than_others():
    x = np.linspace(-12, 12, 20_001)
    distribution, _ = standard_normal(x)
    exact = np.array([erfc(-v / sqrt(2)) / 2 for v in x])
    np.testing.assert_allclose(distribution, exact, rtol=5e-14)
    assert (np.diff(distribution) >= 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_of_any_size(dtype):
    largest = np.finfo(dtype).max
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        distribution, density = standard_normal(np.array([-largest, -100, -0.0, 0, 100, largest], dtype))
    np.testing.assert_allclose(distribution, [0, 0, 0.5, 0.5, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(density, [0, 0, 1 / sqrt(2 * pi), 1 / sqrt(2 * pi), 0, 0], rtol=1e-6)
