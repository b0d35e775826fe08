"""Dropout."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ParameterError, Sequential
from mlpkit.testing import standalone
from mlpkit.testing.outside_network import begin_pass
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_drops_that_share_and_keeps_the_mean(rate, dtype):
    layer = standalone(Dropout(rate), (1000,), dtype=dtype)
    y = layer.forward(np.ones((200, 1000), dtype))
    assert y.dtype == dtype
    kept = y != 0
    assert kept.mean() == pytest.approx(1 - rate, abs=0.005)
    np.testing.assert_allclose(y[kept], 1 / (1 - rate), rtol=1e-6)
    columns, rows = kept.mean(axis=0), kept.mean(axis=1)
    assert np.abs(columns - (1 - rate)).max() < 0.2
    assert np.abs(rows - (1 - rate)).max() < 0.1


def test_backward_drops_what_forward_dropped():
    layer = standalone(Dropout(0.5), (1000,))
    y = layer.forward(np.full((2, 1000), 3.0)).copy()
    np.testing.assert_array_equal(layer.backward(np.full((2, 1000), 3.0)), y)


def test_each_step_and_each_row_drops_others():
    layer = standalone(Dropout(0.5), (1000,))
    x = np.ones((2, 1000))
    first = layer.forward(x).copy()
    assert not np.array_equal(first[0], first[1])
    begin_pass(layer)
    np.testing.assert_array_equal(layer.forward(x), first)
    layer._position.step += 1
    begin_pass(layer)
    assert not np.array_equal(layer.forward(x), first)


def test_does_nothing_in_evaluation_and_at_rate_zero():
    layer = standalone(Dropout(0.5), (4,))
    layer.training = False
    x, dy = np.ones((3, 4)), np.full((3, 4), 2.0)
    np.testing.assert_array_equal(layer.forward(x), x)
    np.testing.assert_array_equal(layer.backward(dy), np.full((3, 4), 2.0))
    np.testing.assert_array_equal(standalone(Dropout(0.0), (4,)).forward(x), x)


def test_two_in_a_network_drop_independently():
    network = Sequential([Dropout(), Dropout(), Affine(2), SoftmaxWithLoss()], (1000,))
    first, second = network.replicas[0].layers[:2]
    network.set_training(True)
    network.loss_and_gradient(np.ones((1, 1000), np.float32), np.array([0]))
    assert not np.array_equal(first.chance, second.chance)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_the_rate_has_a_range(rate):
    with pytest.raises(ParameterError, match=f"rate: {rate} is out of range"):
        Dropout(rate)
