"""Weights of examples that Python gives to a network, and what it says of wrong ones."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Classes, Sequential, ShapeError, UsageError
from mlpkit.errors import WrongUseError
from mlpkit.network.sequential import EVALUATION_ROWS
from mlpkit.testing.suite.doubles import FakeLoss
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.metrics.confusion_matrix import ConfusionMatrix

GENERATOR = np.random.default_rng(0)
ROWS = 2 * EVALUATION_ROWS + 3
X, T = GENERATOR.normal(size=(ROWS, 2)), GENERATOR.integers(3, size=ROWS)
REPEATS = GENERATOR.integers(0, 3, ROWS)


@pytest.fixture
def network():
    return Sequential([Affine(3), SoftmaxWithLoss()], (2,), target=Classes(3), dtype="float64")


def test_evaluation_in_pieces_counts_rows_as_often_as_their_weights_say(network):
    rows = np.repeat(np.arange(ROWS), REPEATS)
    expected = network.evaluate(X[rows], T[rows], ["accuracy", "f1"])
    assert network.evaluate(X, T, ["accuracy", "f1"], REPEATS) == pytest.approx(expected, rel=1e-9)
    assert network.loss(X, T, weights=REPEATS.tolist()) == pytest.approx(expected["loss"], rel=1e-9)
    assert network.accuracy(X, T, weights=1000.0 * REPEATS) == pytest.approx(expected["accuracy"], rel=1e-9)


WRONG = [
    ([1, 2], ShapeError, "weights of shape (2,) don't fit 3 rows; expected (3,)"),
    ([[1], [1], [1]], ShapeError, "weights of shape (3, 1) don't fit 3 rows; expected (3,)"),
    ([1, -2, 1], UsageError, "the weight of row 1, counted from 0, is -2; expected a number, at least 0"),
    ([1, 1, np.nan], UsageError, "the weight of row 2, counted from 0, is nan; expected a number, at least 0"),
    ([np.inf, 1, 1], UsageError, "the weight of row 0, counted from 0, is inf; expected a number, at least 0"),
    ([0, 0, 0], UsageError, "all weights of the examples are 0; expected at least one above 0"),
    (["a", "b", "c"], UsageError, "the weights are an array of <U1; expected numbers"),
]


@pytest.mark.parametrize(("weights", "kind", "message"), WRONG)
def test_wrong_weights_are_refused(network, weights, kind, message):
    for use in (network.evaluate, network.gradient):
        with pytest.raises(kind) as caught:
            use(X[:3], T[:3], weights=weights)
        assert str(caught.value) == message


def test_a_metric_or_a_loss_that_takes_no_weights_is_named(network):
    with pytest.raises(WrongUseError) as caught:
        network.evaluate(X, T, {"confusion_matrix": ConfusionMatrix()}, REPEATS)
    expected = "ConfusionMatrix doesn't take weights of examples; use another metric, or leave out the weights"
    assert str(caught.value) == expected
    assert network.evaluate(X, T, {"confusion_matrix": ConfusionMatrix()})["confusion_matrix"]

    class Bare(FakeLoss):
        takes_weights = False

    bare = Sequential([Affine(3), Bare()], (2,))
    with pytest.raises(WrongUseError) as caught:
        bare.gradient(X, T, REPEATS)
    assert str(caught.value) == "Bare doesn't take weights of examples; use another loss, or leave out the weights"
