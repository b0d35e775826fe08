"""The pinball loss, whose best prediction is a quantile."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ParameterError, Values
from mlpkit.testing import standalone
from mlpkit_plugins.losses.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.losses.pinball import Pinball


def loss_of(quantile, shape=(1,)):
    return standalone(Pinball(quantile), shape, target=Values(shape))


def test_is_the_formula():
    loss = loss_of(0.8, (3,))
    x, t = np.array([[1.0, 2, 3]]), np.array([[3.0, 1, 3]])
    assert loss.forward(x, t) == pytest.approx((0.8 * 2 + 0.2 * 1 + 0) / 3)
    np.testing.assert_allclose(loss.backward(3.0), [[-0.8, 0.2, 0]])


def test_at_one_half_it_is_half_the_mean_absolute_error():
    x, t = np.random.default_rng(0).normal(size=(2, 20, 1))
    assert loss_of(0.5).forward(x, t) == pytest.approx(np.abs(x - t).mean() / 2)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.75])
@pytest.mark.parametrize("weights", [None, np.random.default_rng(5).uniform(0, 2, 101)])
def test_no_constant_is_better_than_the_quantile(quantile, weights):
    t = np.random.default_rng(0).exponential(size=(101, 1))
    loss = loss_of(quantile)
    best = loss.best_constant(t, weights)
    if weights is None:
        assert best == pytest.approx(np.quantile(t, quantile, axis=0), abs=0.05)
    least = loss.forward(np.full_like(t, best[0]), t, weights)
    assert all(least <= loss.forward(np.full_like(t, c), t, weights) + 1e-12 for c in np.linspace(0, 4, 200))


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2, 0, 1, 4, 0.5, 3.5, 4])])
@pytest.mark.parametrize("quantile", [1 / 8, 0.25, 0.5, 0.51, 0.75, 0.99])
def test_the_best_constant_is_the_smallest_target_with_that_share_at_or_below_it(quantile, weights):
    t = np.array([[5.0, -1], [1, 3], [2, 3], [8, 0], [1, 7], [3, 2], [4, 9], [0, 6]])
    rows = t if weights is None else np.repeat(t, (2 * weights).astype(int), axis=0)
    expected = np.quantile(rows, quantile, axis=0, method="inverted_cdf")
    np.testing.assert_array_equal(Pinball(quantile).best_constant(t, weights), expected)
    if quantile == 0.5:
        np.testing.assert_array_equal(MeanAbsoluteError().best_constant(t, weights), expected)


def test_a_quantile_lies_between_0_and_1():
    with pytest.raises(ParameterError, match="quantile: 1 is out of range"):
        Pinball(1)
