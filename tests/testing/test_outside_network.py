"""A layer or loss by itself."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Classes, Initializer, MlpkitError, UsageError
from mlpkit.testing import standalone
from mlpkit.testing.outside_network import Projection, begin_pass
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


class Sevens(Initializer):
    """All sevens."""

    def __call__(self, shape, fans, rng, dtype):
        return np.full(shape, 7, dtype)


def test_is_ready_to_be_called():
    given = Affine(3)
    layer = standalone(given, (4,))
    assert layer is given
    assert (layer.path, layer.dtype, layer.training, layer.needs_input_gradient) == ("Affine1", np.float64, True, True)
    x, dy = np.ones((2, 4)), np.ones((2, 3))
    np.testing.assert_allclose(layer.forward(x), x @ layer.W.value)
    np.testing.assert_allclose(layer.backward(dy), dy @ layer.W.value.T)
    assert (layer.b.grad == 2).all()


def test_first_values_are_keyed_by_the_seed():
    first, again, other = (standalone(Affine(3), (4,), seed=seed).W.value for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_names_are_resolved_by_what_is_given():
    layer = standalone(Affine(3), (4,), resolver=lambda kind, reference: Sevens(), dtype="float32")
    assert layer.W.value.dtype == np.float32
    assert (layer.W.value == 7).all()


def test_a_loss_needs_no_network_either():
    loss = standalone(SoftmaxWithLoss(), (3,), target=Classes(3))
    assert loss.forward(np.zeros((2, 3)), np.array([0, 1])) == pytest.approx(np.log(3))
    with pytest.raises(MlpkitError, match="gets 3 logits for 4 classes"):
        standalone(SoftmaxWithLoss(), (3,), target=Classes(4))


def test_each_pass_restarts_its_random_numbers():
    layer = standalone(Relu(), (4,), seed=3)
    begin_pass(layer)
    first = layer.rng.random(3).tolist()
    assert layer.rng.random(3).tolist() != first
    begin_pass(layer)
    assert layer.rng.random(3).tolist() == first


def test_only_layers_and_losses_can_be_built_so():
    with pytest.raises(UsageError, match="'Relu' is neither a layer nor a loss"):
        standalone("Relu", (3,))


def test_a_projection_is_a_scalar_product():
    loss = standalone(Projection(), (2,))
    assert loss.forward(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])) == 11.0
    np.testing.assert_array_equal(loss.backward(2.0), [[6.0, 8.0]])
