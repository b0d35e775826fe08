"""Temperature scaling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import require_package
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit, softmax

from mlpkit import Classes, Labels, TargetError, Values
from mlpkit_plugins.calibrations.temperature import Temperature

SEEDS = st.integers(0, 2**32 - 1)
checked = settings(deadline=None, max_examples=20)


def loss_at(p, t, weights, log_t):
    """Return the total log loss at a temperature, and its prior."""
    scaled = np.log(np.maximum(p, np.finfo(float).eps)) / np.exp(log_t)
    losses = (t * (np.log(np.exp(scaled).sum(axis=1)) - (t * scaled).sum(axis=1))[:, None]).sum(axis=1)
    return weights @ losses + log_t**2 / 2


@checked
@given(seed=SEEDS, rows=st.integers(1, 60), count=st.integers(2, 5), sureness=st.floats(0.3, 4))
def test_minimizes_the_log_loss_of_classes(fitted, drawn, seed, rows, count, sureness):
    p, t = drawn(seed, rows, count, sureness=sureness)
    weights = np.random.default_rng(seed).integers(1, 5, rows)
    best = minimize_scalar(lambda log_t: loss_at(p, t, weights, log_t), bounds=(-5, 5), method="bounded")
    found = np.log(fitted(Temperature(), Classes(count), p, t, weights).T.value)
    assert loss_at(p, t, weights, found) <= best.fun + 1e-6


@pytest.mark.parametrize("labels", [False, True])
def test_finds_how_much_too_sure_a_network_is(fitted, drawn, labels):
    p, t = drawn(0, 20_000, 3, labels=labels, sureness=2.5)
    calibration = fitted(Temperature(), Labels(3) if labels else Classes(3), p, t)
    assert float(calibration.T.value) == pytest.approx(2.5, rel=0.05)
    expected = expit(logit(p) / calibration.T.value) if labels else softmax(np.log(p) / calibration.T.value, axis=1)
    np.testing.assert_allclose(calibration.predict(p), expected, rtol=1e-6)


@checked
@given(seed=SEEDS)
def test_a_weight_counts_as_copies(fitted, drawn, seed):
    p, t = drawn(seed, 30, 3)
    weights = np.random.default_rng(seed).integers(1, 4, 30)
    copies = np.repeat(np.arange(30), weights)
    of_copies = fitted(Temperature(), Classes(3), p[copies], t[copies])
    weighted = fitted(Temperature(), Classes(3), p, t, weights)
    assert float(of_copies.T.value) == pytest.approx(float(weighted.T.value), rel=1e-8)


def test_stays_finite_where_every_row_is_right(fitted):
    right = fitted(Temperature(), Classes(2), np.tile([0.9, 0.1], (40, 1)), np.tile([1, 0], (40, 1)))
    assert 0.1 < float(right.T.value) < 1


@checked
@given(seed=SEEDS, labels=st.booleans())
def test_keeps_the_order_of_probabilities_of_a_row(fitted, drawn, seed, labels):
    p, t = drawn(seed, 20, 4, labels=labels)
    q = fitted(Temperature(), Labels(4) if labels else Classes(4), p, t).predict(p)
    np.testing.assert_array_equal(np.argsort(p, axis=1), np.argsort(q, axis=1))


@pytest.mark.parametrize("target", [Classes(2), Labels(2)], ids=str)
def test_probabilities_of_exactly_0_and_1_stay_finite_in_float32(fitted, target):
    p = np.array([[1, 0], [0, 1], [0.5, 0.5]], np.float32)
    q = fitted(Temperature(), target, p, [[1, 0], [1, 0], [0, 1]], dtype=np.float32).predict(p)
    assert q.dtype == np.float32
    assert np.isfinite(np.log(q)).all()
    assert np.isfinite(np.log(1 - q[2])).all()


def test_is_that_of_scikit_learn(fitted, drawn):
    calibration = require_package("sklearn.calibration")
    p, t = drawn(1, 3000, 4, sureness=1.7)
    theirs = calibration._TemperatureScaling().fit(np.log(p), t.argmax(axis=1))
    assert float(fitted(Temperature(), Classes(4), p, t).T.value) == pytest.approx(1 / theirs.beta_, rel=1e-3)


def test_values_are_refused(fitted):
    with pytest.raises(TargetError, match=r"calibrates probabilities, but the data gives real values of shape \(1,\)"):
        fitted(Temperature(), Values((1,)), [[1.0]], [[1.0]])


@pytest.mark.parametrize(("t", "log_t"), [([[0, 1]], 5), ([[1, 0]], -5)])
def test_a_temperature_has_bounds(fitted, t, log_t):
    calibration = fitted(Temperature(), Classes(2), [[0.51, 0.49]], t, [1e12])
    assert np.log(calibration.T.value) == pytest.approx(log_t, abs=1e-9)
