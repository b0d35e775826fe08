"""Layers one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Layer, Sequential
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.sequence import Sequence
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


def test_a_stack_in_a_sequence_is_the_same_stack():
    def stack():
        return [Affine(5, weights="glorot_uniform"), Relu(), Affine(3, weights="glorot_uniform")]

    plain = Sequential([*stack(), SoftmaxWithLoss()], (4,))
    nested = Sequential([Sequence(stack()), SoftmaxWithLoss()], (4,))
    assert list(nested.parameters) == [f"Sequence1.{name}" for name in plain.parameters]
    assert nested.flops == plain.flops
    for name, values in plain.parameters.items():
        nested.parameters[f"Sequence1.{name}"][...] = values
    x, t = np.random.default_rng(0).normal(size=(7, 4)), np.arange(7) % 3
    np.testing.assert_array_equal(nested.predict(x), plain.predict(x))
    found = nested.gradient(x, t)
    for name, gradient in plain.gradient(x, t).items():
        np.testing.assert_array_equal(found[f"Sequence1.{name}"], gradient)


class Backward(Layer):
    """y = x, and a note of each backward pass."""

    def __init__(self):
        self.passes = 0

    def forward(self, x):
        return x

    def backward(self, dy):
        self.passes += 1
        return dy


def test_an_unneeded_input_gradient_is_not_computed():
    before, first, second = Backward(), Affine(3), Affine(3)
    sequence = standalone(Sequence([before, first, second]), (4,))
    x, dy = np.ones((2, 4)), np.ones((2, 3))
    sequence.forward(x)
    assert sequence.backward(dy.copy()).shape == (2, 4)
    assert before.passes == 1
    sequence.needs_input_gradient = False
    sequence.forward(x)
    assert sequence.backward(dy.copy()) is None
    assert before.passes == 1
    assert [layer.needs_input_gradient for layer in (before, first, second)] == [False, False, True]
    sequence.needs_input_gradient = True
    sequence.forward(x)
    assert sequence.backward(dy.copy()).shape == (2, 4)


def test_the_first_layer_of_a_network_is_spared_its_input_gradient_wherever_it_stands():
    affine = Affine(3)
    network = Sequential([Sequence([Sequence([Backward(), affine])]), Affine(3), SoftmaxWithLoss()], (4,))
    network.gradient(np.ones((2, 4)), np.array([0, 1]))
    assert not affine.needs_input_gradient


@pytest.mark.parametrize("rows", [1, 4])
def test_gradients_are_those_of_central_differences(rows):
    check_gradients(Sequence([Affine(5), Sigmoid(), Affine(3)]), (4,), rows=rows)
    check_gradients(Sequence([Sigmoid()]), (2, 3), rows=rows)
