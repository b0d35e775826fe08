"""The negative log-likelihood of counts."""

from __future__ import annotations

from math import lgamma

import numpy as np
import pytest

import mlpkit
from mlpkit import UsageError, Values
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.losses.poisson import Poisson


def loss_of(shape=(1,)):
    return standalone(Poisson(), shape, target=Values(shape))


def test_is_the_negative_log_likelihood_without_the_part_of_the_targets():
    x, t = np.random.default_rng(0).normal(size=(30, 1)), np.random.default_rng(1).poisson(3, (30, 1)).astype(float)
    rates = np.exp(x)
    log_likelihood = t * np.log(rates) - rates - np.vectorize(lgamma)(t + 1)
    loss = loss_of()
    assert loss.forward(x, t) == pytest.approx(-(log_likelihood + np.vectorize(lgamma)(t + 1)).mean())
    np.testing.assert_allclose(loss.predict(x), rates)


def test_negative_targets_are_refused():
    message = "Poisson1 got the target -2; expected counts, numbers from 0 up; for values of either sign, use Mean"
    with pytest.raises(UsageError, match=message):
        loss_of().forward(np.zeros((2, 1)), np.array([[1.0], [-2]]))


def test_a_network_learns_rates():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 2))
    t = rng.poisson(np.exp(0.5 * x[:, 0] - 1))
    layers = [{"Affine": {"units": 1}}, "Poisson"]
    run = mlpkit.fit(
        x, t.astype(float), layers=layers, optimizer={"adam": {"learning_rate": 0.03}}, epochs=15, quiet=True
    )
    predicted = run.network.predict(x / x.std(axis=0))
    assert predicted.min() > 0
    np.testing.assert_allclose(predicted.mean(), t.mean(), rtol=0.1)


def test_gradients_are_those_of_central_differences():
    t = np.random.default_rng(1).poisson(3, (5, 2)).astype(float)
    check_gradients(Poisson(), (2,), x=np.random.default_rng(0).normal(size=(5, 2)), t=t, target=Values((2,)))


@pytest.mark.parametrize("weights", [None, np.random.default_rng(5).uniform(0, 2, 50)])
def test_no_constant_is_better_than_the_logarithm_of_the_mean(weights):
    t = np.random.default_rng(0).poisson(2, (50, 1)).astype(float)
    loss = loss_of()
    best = loss.best_constant(t, weights)
    least = loss.forward(np.full_like(t, best[0]), t, weights)
    assert all(least <= loss.forward(np.full_like(t, c), t, weights) + 1e-12 for c in np.linspace(-2, 3, 200))
    assert np.isfinite(loss.best_constant(np.zeros((3, 1))))
