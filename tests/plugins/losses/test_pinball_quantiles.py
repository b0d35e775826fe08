"""Several quantiles of one value at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from requirements import Optional

from mlpkit import Graph, ParameterError, ShapeError, TargetError, Values
from mlpkit.graph.evaluator import evaluate
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.losses.ensemble_loss import EnsembleLoss
from mlpkit_plugins.losses.pinball import Pinball

mean_pinball_loss = Optional("sklearn.metrics", "mean_pinball_loss")

QUANTILES = (0.1, 0.5, 0.9)
ONE_VALUE = Values((1,))
ROWS = 40
X = np.random.default_rng(0).normal(size=(ROWS, 3))
T = np.random.default_rng(1).normal(size=(ROWS, 1))
WEIGHTS = np.random.default_rng(2).uniform(0, 2, ROWS)
PREDICTIONS = arrays(np.float64, (5, 4), elements=st.floats(-1e6, 1e6))


def loss_of(quantiles=QUANTILES, target=ONE_VALUE):
    return standalone(Pinball(quantiles=quantiles), (len(quantiles),), target=target)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "with weights"])
@pytest.mark.parametrize("t", [T, T[:, 0]], ids=["a column", "a number each"])
def test_is_the_mean_of_scikit_learns_loss_of_each_quantile(t, weights):
    of_each = [
        mean_pinball_loss(T, X[:, i], alpha=quantile, sample_weight=weights) for i, quantile in enumerate(QUANTILES)
    ]
    loss = loss_of(target=Values(t.shape[1:]))
    assert loss.forward(X, t, weights) == pytest.approx(np.mean(of_each), rel=1e-12)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "with weights"])
def test_the_best_constant_is_that_of_each_quantile(weights):
    expected = [Pinball(quantile).best_constant(T, weights)[0] for quantile in QUANTILES]
    np.testing.assert_array_equal(loss_of().best_constant(T, weights), expected)


@settings(deadline=None)
@given(PREDICTIONS, arrays(np.float64, (5, 1), elements=st.floats(-1e6, 1e6)))
def test_sorting_makes_no_prediction_worse(x, t):
    loss = loss_of((0.05, 0.3, 0.6, 0.95))
    found = loss.predict(x)
    assert (np.diff(found, axis=1) >= 0).all()
    assert loss.forward(found, t) <= loss.forward(x, t) * (1 + 1e-12)
    np.testing.assert_array_equal(loss.predict(loss.inputs_for(found)), found)


@pytest.mark.parametrize("count", range(1, 8))
def test_the_graph_sorts(count):
    loss = loss_of(tuple(np.linspace(0.1, 0.9, count).tolist()))
    x = np.random.default_rng(count).permuted(np.tile(np.arange(count, dtype=float), (30, 1)), axis=1)
    graph = Graph(np.dtype("float64"))
    graph.outputs["y"] = graph.describe(loss, graph.feed("x", "float64", (count,)))
    np.testing.assert_array_equal(evaluate(graph, {"x": x})["y"], np.tile(np.arange(count), (30, 1)))


def test_each_quantile_has_a_name_and_the_median_stands_for_the_target():
    for loss in (loss_of(), standalone(EnsembleLoss(Pinball(quantiles=QUANTILES)), (2, 3), target=ONE_VALUE)):
        assert loss.prediction_names() == ("q0.1", "q0.5", "q0.9")
        np.testing.assert_array_equal(loss.point_prediction(X), X[:, 1:2])
    alone = Pinball(0.9)
    assert alone.prediction_names() is None
    assert alone.point_prediction(T) is alone.predict(T) is T


def test_the_interval_reaches_from_the_lowest_to_the_highest_quantile():
    for loss in (loss_of(), standalone(EnsembleLoss(Pinball(quantiles=QUANTILES)), (2, 3), target=ONE_VALUE)):
        np.testing.assert_array_equal(loss.interval_prediction(X), X[:, ::2])
    np.testing.assert_array_equal(loss_of((0.1, 0.4)).interval_prediction(X[:, :2]), X[:, :2])


@pytest.mark.parametrize("alone", [Pinball(0.9), Pinball(quantiles=(0.9,))])
def test_one_quantile_is_not_an_interval(alone):
    with pytest.raises(ShapeError, match="Pinball predicts one quantile, and no interval; expected several quantiles"):
        alone.interval_prediction(T)


def test_without_the_median_nothing_stands_for_the_target():
    with pytest.raises(ShapeError, match=r"the quantiles \[0.1, 0.9\], but not the median; .*add 0.5 to quantiles"):
        loss_of((0.1, 0.9)).point_prediction(X[:, :2])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"quantiles": (0.5, 1)}, r"quantiles\.1: 1 is out of range"),
        ({"quantiles": (0.5, 0.1)}, r"quantiles: \[0.5, 0.1\] is not ascending"),
        ({"quantiles": (0.5, 0.5)}, r"quantiles: \[0.5, 0.5\] is not ascending"),
        ({"quantiles": ()}, "quantiles: the list has 0 items"),
        ({"quantile": 0.5, "quantiles": (0.5,)}, "quantiles: both quantile and quantiles are given"),
    ],
)
def test_wrong_quantiles_are_refused(parameters, message):
    with pytest.raises(ParameterError, match=message):
        Pinball(**parameters)


@pytest.mark.parametrize(
    ("shape", "target", "error"),
    [((2,), ONE_VALUE, ShapeError), ((3,), Values((3,)), TargetError), ((3,), Values((1, 1)), TargetError)],
)
def test_what_does_not_fit_is_refused(shape, target, error):
    with pytest.raises(StackError) as caught:
        standalone(Pinball(quantiles=QUANTILES), shape, target=target)
    assert isinstance(caught.value.cause, error)


@pytest.mark.parametrize("t", [X, T[:5], T[:, 0] > 0])
def test_targets_of_another_shape_or_kind_are_refused(t):
    with pytest.raises(
        ShapeError, match=r"can't take targets of .*; expected numbers of shape \(40, 1\), one for each row"
    ):
        loss_of().forward(X, t)


def test_gradients_are_those_of_central_differences():
    t = X[:, 1:2] + np.where(np.random.default_rng(3).random((ROWS, 1)) < 0.5, -1, 1)
    check_gradients(Pinball(quantiles=QUANTILES), (3,), x=X, t=t, target=ONE_VALUE)
