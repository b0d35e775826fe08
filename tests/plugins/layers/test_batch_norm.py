"""Batch normalization."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import ParameterError, Sequential, ShapeError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


@settings(max_examples=60, deadline=None)
@given(arrays.array_shapes(min_dims=2, max_dims=4, max_side=4), st.integers(0, 2**32))
def test_gradients_are_those_of_central_differences(shape, seed):
    x = np.random.default_rng(seed).normal(size=shape)
    check_gradients(BatchNorm(epsilon=0.1), shape[1:], x=x, seed=seed)


def test_is_the_formula():
    layer = standalone(BatchNorm(epsilon=0.25), (2,))
    layer.gamma.value[...] = [1, 2]
    layer.beta.value[...] = [10, 20]
    y = layer.forward(np.array([[1.0, 4], [3, 8]]))  # means 2 and 6, variances 1 and 4
    scale = 1 / np.sqrt([1.25, 4.25])
    np.testing.assert_allclose(y, np.array([[-1, -4], [1, 4]]) * scale + [10, 20], rtol=1e-15)
    layer.backward(np.array([[1.0, 2], [3, 4]]))
    np.testing.assert_allclose(layer.gamma.grad, np.array([2, 4]) * scale, rtol=1e-15)
    np.testing.assert_array_equal(layer.beta.grad, [4, 6])


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, (5, 2, 3), elements=st.floats(-1e3, 1e3)))
def test_every_feature_gets_mean_0_and_variance_up_to_1(x):
    y = standalone(BatchNorm(), (2, 3)).forward(x)
    np.testing.assert_allclose(y.mean(axis=(0, 2)), 0, atol=1e-9)
    variance = x.var(axis=(0, 2))
    np.testing.assert_allclose(y.var(axis=(0, 2)), variance / (variance + 1e-5), atol=1e-6)


def test_running_figures_follow_those_of_the_minibatches():
    layer = standalone(BatchNorm(momentum=0.75), (1,))
    mean, variance = layer.running_mean.value, layer.running_variance.value
    assert (mean, variance) == ([0.0], [1.0])
    layer.forward(np.array([[2.0], [6.0]]))  # mean 4, variance 8 over n - 1
    assert (mean, variance) == ([1.0], [0.75 + 2])
    layer.forward(np.array([[0.0], [0.0]]))
    assert (mean, variance) == ([0.75], [0.75 * 2.75])
    layer.training = False
    layer.forward(np.array([[100.0], [200.0]]))
    assert (mean, variance) == ([0.75], [0.75 * 2.75])


def test_one_element_has_a_mean_and_no_variance():
    layer = standalone(BatchNorm(momentum=0.75), (1,))
    layer.running_variance.value[...] = 3
    np.testing.assert_array_equal(layer.forward(np.array([[2.0]])), [[0.0]])
    assert (layer.running_mean.value, layer.running_variance.value) == ([0.5], [3.0])
    image = standalone(BatchNorm(momentum=0.75), (1, 1, 2))
    image.forward(np.array([[[[2.0, 6.0]]]]))  # one image of two pixels has one, 8
    assert (image.running_mean.value, image.running_variance.value) == ([1.0], [0.75 + 2])


def test_evaluation_uses_the_running_figures():
    layer = standalone(BatchNorm(epsilon=0.25), (2,))
    layer.running_mean.value[...] = [1, 2]
    layer.running_variance.value[...] = [2, 6]
    layer.gamma.value[...] = [3, 4]
    layer.training = False
    np.testing.assert_allclose(layer.forward(np.array([[2.5, 4.5]])), [[3, 4]], rtol=1e-15)
    np.testing.assert_allclose(layer.backward(np.array([[3.0, 5.0]])), [[6, 8]], rtol=1e-15)


def test_a_network_learns_what_to_do_with_data_far_from_zero():
    rng = np.random.default_rng(0)
    t = rng.integers(0, 2, 200)
    x = 1000 + rng.normal(size=(200, 3)) + t[:, None]
    network = Sequential([BatchNorm(momentum=0.5), Affine(2), SoftmaxWithLoss()], (3,), dtype="float64")
    for _ in range(50):
        network.gradient(x, t)
        network.values -= 0.5 * network.gradient_values
    assert network.accuracy(x, t) > 0.75


def test_constant_features_are_no_trouble(dtype):
    layer = standalone(BatchNorm(), (4,), dtype=dtype)
    np.testing.assert_array_equal(layer.forward(np.full((2, 4), 1e6, dtype)), 0)
    assert np.isfinite(layer.backward(np.arange(8, dtype=dtype).reshape(2, 4))).all()


def test_declares_a_scale_and_a_shift_that_never_decay_and_running_figures():
    layer = standalone(BatchNorm(), (2, 3, 3))
    assert [(p.path, p.shape, p.decay) for p in layer.declared_parameters()] == [
        ("BatchNorm1.gamma", (2,), False),
        ("BatchNorm1.beta", (2,), False),
    ]
    assert [(s.path, s.shape) for s in layer.declared_states()] == [
        ("BatchNorm1.running_mean", (2,)),
        ("BatchNorm1.running_variance", (2,)),
    ]
    assert (layer.gamma.value == 1).all()
    assert BatchNorm.couples_examples


def test_what_it_can_not_take():
    with pytest.raises(ShapeError, match=r"BatchNorm can't take inputs of shape \(\); expected a shape with an axis"):
        BatchNorm().build(())
    with pytest.raises(ParameterError, match=r"momentum: 1\.0 is out of range"):
        BatchNorm(1.0)
