"""The share of targets in their predicted intervals."""

from __future__ import annotations

import re

import numpy as np
import pytest

import mlpkit
from mlpkit import Classes, Labels, ShapeError, Values
from mlpkit.errors import SpecShapeError
from mlpkit_plugins.metrics.coverage import Coverage

RNG = np.random.default_rng(0)
ENDS = np.sort(RNG.normal(size=(50, 2)))
T = RNG.normal(size=50)
INSIDE = np.logical_and(ENDS[:, 0] <= T, ENDS[:, 1] >= T)
X = RNG.normal(size=(120, 2))
PRICES = 200 + 30 * X[:, 0] + 8 * RNG.normal(size=120)


def found(ends, t, weights=None):
    metric = Coverage()
    metric.update(ends, t, weights)
    return metric.result()


@pytest.mark.parametrize("t", [T, T[:, None]])
def test_is_the_fraction_that_scikit_learns_page_on_intervals_computes(t):
    assert 0 < INSIDE.mean() < 1
    assert found(ENDS, t) == pytest.approx(INSIDE.mean())
    weights = RNG.uniform(0, 2, 50)
    assert found(ENDS, t, weights) == pytest.approx(np.average(INSIDE, weights=weights))


def test_the_ends_belong_to_the_interval():
    assert found(np.array([[1.0, 2.0]] * 4), np.array([0.9, 1.0, 2.0, 2.1])) == 0.5


@pytest.mark.parametrize("target", [Classes(3), Labels(2), Values((2,))])
def test_is_for_one_real_value(target):
    with pytest.raises(ShapeError, match=re.escape(f"is for one real value, but the data gives {target}")):
        Coverage().expect_target(target)


def fitted(loss, metrics, ensemble=None, layers=()):
    stack = layers or [{"Affine": {"units": 8}}, "Tanh", {"Affine": {"units": "auto"}}]
    how = {"epochs": 8, "batch_size": 20, "optimizer": {"adam": {"learning_rate": 0.02}}}
    return mlpkit.fit(X, PRICES, layers=[*stack, loss], metrics=metrics, ensemble=ensemble, quiet=True, **how)


QUANTILES = {"Pinball": {"quantiles": [0.1, 0.5, 0.9]}}
ENSEMBLE = [{"EnsembleView": {"members": 2}}, {"EnsembleAffine": {"units": 3}}]


@pytest.mark.parametrize("layers", [(), ENSEMBLE], ids=["quantiles", "an ensemble's quantiles"])
def test_a_run_counts_targets_between_the_outermost_quantiles(layers):
    run = fitted({"EnsembleLoss": {"loss": QUANTILES}} if layers else QUANTILES, ["coverage", "r2"], layers=layers)
    low, _, high = run.model.predict(X).T
    expected = np.logical_and(low <= PRICES, high >= PRICES).mean()
    assert run.metrics["train"]["coverage"] == pytest.approx(expected, abs=0.01)
    assert run.history[-1]["train_coverage"] == run.metrics["train"]["coverage"]
    assert run.model.evaluate(X, PRICES)["coverage"] == run.metrics["train"]["coverage"]


def test_needs_no_median_and_averages_the_ends_of_an_ensemble():
    run = fitted({"Pinball": {"quantiles": [0.1, 0.9]}}, ["coverage"], ensemble={"folds": 2})
    low, high = run.out_of_fold.values.T
    t = run.out_of_fold.targets.ravel()
    assert run.metrics["validation"]["coverage"] == np.logical_and(t >= low, t <= high).mean()


@pytest.mark.parametrize(
    ("loss", "message", "remedy"),
    [
        ("MeanSquaredError", "MeanSquaredError1 doesn't predict an interval", "use such a loss"),
        (
            "Pinball",
            "Pinball1 predicts one quantile, and no interval",
            "give it more, as in quantiles: [0.05, 0.5, 0.95]",
        ),
    ],
)
def test_a_loss_without_intervals_is_an_error_at_the_metric(loss, message, remedy):
    with pytest.raises(SpecShapeError) as refused:
        fitted(loss, ["coverage"])
    (fault,) = refused.value.faults
    assert fault.message == f"coverage compares an interval with each target: {message}"
    assert fault.remedy == f"{remedy}, or leave out coverage"
    run = fitted(loss, [])
    with pytest.raises(ShapeError, match=message):
        run.model.network.evaluate(X, PRICES[:, None], ["coverage"])
