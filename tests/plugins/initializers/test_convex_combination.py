"""Biases drawn from training data."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ParameterError
from mlpkit_plugins.initializers.convex_combination import ConvexCombination


def adapted(y, rows=5, seed=0):
    values = np.full(y.shape[1], 99.0)

    def outputs(b):
        return y + b.reshape(1, -1, *[1] * (y.ndim - 2))

    return ConvexCombination(rows).adapt(values, outputs, -1, np.random.default_rng(seed))


def test_the_rule_of_pytabkit():
    """Its ``bias_init_mode='he+5'``: the mean of minus the outputs, and the variance of such a combination.

    For n shares of exponential numbers, E Σ λ² = 2 / (n + 1).
    """
    y = np.random.default_rng(0).normal([[1.0, -4.0]], [[2.0, 0.5]], (1000, 2))
    b = np.array([adapted(y, seed=seed) for seed in range(4000)])
    np.testing.assert_allclose(b.mean(axis=0), -y.mean(axis=0), atol=0.06)
    np.testing.assert_allclose(b.var(axis=0), y.var(axis=0) * 2 / 6, rtol=0.08)


def test_one_row_is_that_row():
    y = np.random.default_rng(0).normal(size=(10, 3))
    b = adapted(y, rows=1)
    assert all(np.isclose(-b[j], y[:, j]).any() for j in range(3))


def test_a_combination_lies_between_the_outputs_of_its_unit():
    y = np.random.default_rng(0).normal([[100.0, -100.0]], 1, (20, 2))
    b = adapted(y)
    assert (y.min(axis=0) <= -b).all()
    assert (-b <= y.max(axis=0)).all()


def test_pixels_count_as_rows():
    y = np.arange(2 * 3 * 4).reshape(2, 3, 2, 2) // 4 % 3 * 10.0
    np.testing.assert_allclose(adapted(y), [0, -10, -20])


def test_there_is_at_least_one_row():
    with pytest.raises(ParameterError, match="rows: 0 is out of range"):
        ConvexCombination(0)
