"""An affine layer whose weights are dropped at random."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ParameterError
from mlpkit.testing import begin_pass, check_gradients, standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.drop_connect import DropConnect


def test_in_evaluation_it_is_an_affine_layer():
    ours, affine = standalone(DropConnect(3, biases="fan_in_uniform"), (4,)), standalone(Affine(3), (4,))
    affine.W.value[...], affine.b.value[...] = ours.W.value, ours.b.value
    x, dy = np.random.default_rng(0).normal(size=(5, 4)), np.random.default_rng(1).normal(size=(5, 3))
    for layer in (ours, affine):
        layer.training = False
    np.testing.assert_array_equal(ours.forward(x), affine.forward(x))
    np.testing.assert_array_equal(ours.backward(dy.copy()), affine.backward(dy.copy()))
    np.testing.assert_allclose(ours.b.grad, affine.b.grad)


def test_in_training_weights_are_kept_with_the_probability_and_scaled():
    sevens = {"full": {"value": 7.0}}
    layer = standalone(DropConnect(200, rate=0.3, weights=sevens, biases=sevens), (100,))
    y = layer.forward(np.eye(100)).copy()
    begin_pass(layer)
    biases = layer.forward(np.zeros((1, 100)))[0]
    kept = y - biases
    assert set(np.round(np.unique(kept), 9)) == {0, 10}
    assert (kept > 0).mean() == pytest.approx(0.7, abs=0.01)
    assert (biases > 0).mean() == pytest.approx(0.7, abs=0.1)


def test_each_pass_drops_others():
    layer = standalone(DropConnect(20), (10,))
    first = layer.forward(np.eye(10)).copy()
    layer._position.step += 1
    begin_pass(layer)
    assert (layer.forward(np.eye(10)) != first).any()


def test_gradients_are_those_of_the_dropped_layer():
    layer = standalone(DropConnect(3, rate=0.4, biases="fan_in_uniform"), (4,))
    x, dy = np.random.default_rng(0).normal(size=(5, 4)), np.random.default_rng(1).normal(size=(5, 3))
    layer.forward(x)
    dx = layer.backward(dy.copy())
    M, m = ((chances >= round(0.4 * 65536)) / 0.6 for chances in layer.chances)
    np.testing.assert_allclose(layer.W.grad, (x.T @ dy) * M)
    np.testing.assert_allclose(layer.b.grad, dy.sum(axis=0) * m)
    np.testing.assert_allclose(dx, dy @ (layer.W.value * M).T)


def test_without_a_rate_gradients_are_those_of_central_differences():
    check_gradients(DropConnect(3, rate=0), (4,))


def test_a_rate_is_less_than_one():
    with pytest.raises(ParameterError, match="rate: 1 is out of range"):
        DropConnect(3, rate=1)
