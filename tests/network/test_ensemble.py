"""Several networks as one: its prediction is the mean of theirs, and its loss that of the mean."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest
from requirements import Optional

from mlpkit import Sequential
from mlpkit.components.target import Classes, Labels, Values, ValuesScaling
from mlpkit.errors import UsageError
from mlpkit.graph.evaluator import evaluate
from mlpkit.graph.model_graph import PREDICTION, network_graph
from mlpkit.network.ensemble import NAME, NOT_TRAINED, prove_ensemble
from mlpkit.registry.registry import installed
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.pinball import Pinball
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

mean_pinball_loss = Optional("sklearn.metrics", "mean_pinball_loss")

ROWS, INPUTS, MEMBERS = 7, 4, 3
RNG = np.random.default_rng(2)
X = RNG.normal(size=(ROWS, INPUTS))
LOG = ValuesScaling((0.5, -0.2), (1.5, 0.7), log=True)
BOUNDED = ValuesScaling((0.5, -0.2), (1.5, 0.7), bounds=((0.0, -0.3), (1.0, 0.1)))

CASES = {
    "classes": (SoftmaxWithLoss, 3, Classes(3), RNG.integers(0, 3, ROWS)),
    "two classes": (SigmoidWithLoss, 1, Classes(2), RNG.integers(0, 2, ROWS)),
    "labels": (SigmoidWithLoss, 2, Labels(2), RNG.integers(0, 2, (ROWS, 2)).astype(float)),
    "values": (MeanSquaredError, 2, Values((2,)), RNG.normal(size=(ROWS, 2))),
    "values trained as logarithms": (MeanSquaredError, 2, Values((2,), scaling=LOG), RNG.exponential(size=(ROWS, 2))),
    "clipped values": (MeanSquaredError, 2, Values((2,), scaling=BOUNDED), RNG.normal(size=(ROWS, 2))),
}


def stack_of(loss, units):
    return [Affine(5), Relu(), Affine(units), loss()]


def trained(loss, units, target):
    """The networks, and an ensemble with their weights."""
    networks = [
        Sequential(stack_of(loss, units), (INPUTS,), target=target, seed=seed, dtype="float64")
        for seed in range(MEMBERS)
    ]
    dtype, create = np.dtype("float64"), installed().create
    stacks = [stack_of(loss, units) for _ in networks]
    proof = prove_ensemble(stacks, (INPUTS,), target, dtype, create=create)
    ensemble = Sequential(proof.stack, (INPUTS,), target=target, dtype="float64", resolver=create, proof=proof)
    for number, network in enumerate(networks):
        for name, value in network.parameters.items():
            ensemble.parameters[f"{NAME}.{number}.{name}"][...] = value
    return networks, ensemble


@pytest.fixture(params=CASES)
def case(request):
    loss, units, target, t = CASES[request.param]
    return *trained(loss, units, target), t


def test_the_prediction_is_the_mean_of_the_predictions(case):
    networks, ensemble, _ = case
    mean = np.mean([network.predict(X) for network in networks], axis=0)
    np.testing.assert_allclose(ensemble.predict(X), mean, rtol=1e-13)
    assert len({network.predict(X).tobytes() for network in networks}) == MEMBERS


def test_the_loss_is_that_of_the_mean(case):
    networks, ensemble, t = case
    p = np.mean([network.predict(X) for network in networks], axis=0)
    if isinstance(ensemble.target, Classes):
        expected = -np.log(p[np.arange(ROWS), t]).mean()
    elif isinstance(ensemble.target, Labels):
        expected = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    else:
        expected = np.square(p - t).mean()
    assert ensemble.loss(X, t) == pytest.approx(expected, rel=1e-9)


def test_weights_of_rows_count(case):
    _, ensemble, t = case
    weights = np.zeros(ROWS)
    weights[2] = 3.0
    assert ensemble.loss(X, t, weights) == pytest.approx(ensemble.loss(X[2:3], t[2:3]), rel=1e-9)


def test_the_average_refuses_to_be_trained(case):
    _, ensemble, t = case
    with pytest.raises(UsageError, match=re.escape(NOT_TRAINED)):
        ensemble.loss_and_gradient(X, t)
    with pytest.raises(UsageError, match=re.escape(NOT_TRAINED)):
        ensemble.layers[0].backward(ensemble.predict(X))


def test_the_graph_computes_it(case):
    _, ensemble, _ = case
    graph = network_graph(ensemble)
    found = evaluate(graph, {"x": X})[PREDICTION]
    np.testing.assert_allclose(found, ensemble.predict(X), rtol=1e-12)


def test_quantiles_are_averaged_one_by_one():
    target = Values((1,), scaling=ValuesScaling((5.0,), (2.0,)))
    networks, ensemble = trained(partial(Pinball, quantiles=(0.1, 0.5, 0.9)), 3, target)
    t, mean = RNG.normal(size=(ROWS, 1)) + 5, np.mean([network.predict(X) for network in networks], axis=0)
    np.testing.assert_allclose(ensemble.predict(X), mean, rtol=1e-13)
    np.testing.assert_allclose(evaluate(network_graph(ensemble), {"x": X})[PREDICTION], mean, rtol=1e-12)
    each = [mean_pinball_loss(t, mean[:, i], alpha=quantile) for i, quantile in enumerate((0.1, 0.5, 0.9))]
    assert ensemble.loss(X, t) == pytest.approx(np.mean(each), rel=1e-9)
    assert ensemble.evaluate(X, t, ["mean_absolute_error"])["mean_absolute_error"] == pytest.approx(
        np.abs(mean[:, 1:2] - t).mean()
    )
    assert ensemble.loss_layer.prediction_names() == ("q0.1", "q0.5", "q0.9")


def test_it_is_not_trained_itself(case):
    _, ensemble, t = case
    with pytest.raises(UsageError, match="isn't trained as one network; train one of its networks"):
        ensemble.gradient(X, t)
