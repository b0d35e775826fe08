"""Gradients of whole networks against central differences, and against training by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlpkit import Sequential
from mlpkit.testing import numerical_gradient
from mlpkit.training.update import Updater
from mlpkit_plugins.initializers.normal import Normal
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.sgd import Sgd

ACTIVATIONS = {"Relu": Relu, "Sigmoid": Sigmoid, "none": None}

hidden_layers = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(list(ACTIVATIONS)), st.booleans()), max_size=3)


def distance_from_kinks(network, x):
    """Return how far the inputs of every Relu are from zero."""
    nearest = np.inf
    for layer in network.layers:
        if isinstance(layer, Relu):
            nearest = min(nearest, np.abs(x).min())
        x = layer.forward(x).copy()
    return nearest


@settings(max_examples=60, deadline=None)
@given(
    features=st.integers(1, 5),
    hidden=hidden_layers,
    classes=st.integers(2, 5),
    rows=st.integers(1, 6),
    seed=st.integers(0, 2**32),
    one_hot=st.booleans(),
    slices=st.integers(1, 3),
)
def test_the_gradient_is_that_of_the_loss(features, hidden, classes, rows, seed, one_hot, slices):
    stack = []
    for units, activation, bias in hidden:
        stack.append(Affine(units, weights=Normal(0.7), bias=bias))
        stack += [ACTIVATIONS[activation]()] if ACTIVATIONS[activation] else []
    stack += [Affine(classes, weights=Normal(0.7)), SoftmaxWithLoss()]
    network = Sequential(stack, (features,), seed=seed, dtype="float64", slices=slices)
    rng = np.random.default_rng(seed)
    network.values += 0.3 * rng.normal(size=network.values.shape)
    x, labels = rng.normal(size=(rows, features)), rng.integers(0, classes, rows)
    assume(distance_from_kinks(network, x) > 1e-4)
    t = np.eye(classes)[labels] if one_hot else labels
    gradient = network.gradient(x, t)
    assert list(gradient) == list(network.parameters)
    largest = max(np.abs(array).max() for array in gradient.values())
    for name, parameter in network.parameters.items():
        here = parameter.copy()

        def loss_at(value, parameter=parameter):
            parameter[...] = value
            return network.loss(x, t)

        numerical = numerical_gradient(loss_at, here)
        parameter[...] = here
        assert gradient[name].shape == parameter.shape
        assert np.abs(gradient[name] - numerical).max() <= 1e-6 * largest


def test_gradients_are_arrays_of_their_own(examples):
    network = Sequential([Affine(5), Relu(), Affine(3), SoftmaxWithLoss()], (4,))
    x, t = examples(6, 4, 3)
    first = network.gradient(x, t)
    kept = {name: array.copy() for name, array in first.items()}
    network.gradient(-x, t)
    for name, array in first.items():
        np.testing.assert_array_equal(array, kept[name])
        assert not np.shares_memory(array, network.gradient_values)
        array[...] = 0
    again = network.gradient(x, t)
    assert all(again[name].tobytes() == kept[name].tobytes() for name in kept)
    assert all(array.dtype == np.float32 for array in again.values())


def test_the_gradient_does_not_depend_on_what_was_computed_before(examples):
    x, t = examples(8, 4, 3)
    fresh = Sequential([Affine(5), Sigmoid(), Affine(3), SoftmaxWithLoss()], (4,)).gradient(x[:3], t[:3])
    used = Sequential([Affine(5), Sigmoid(), Affine(3), SoftmaxWithLoss()], (4,))
    used.gradient(x, t)
    used.predict(x)
    used.evaluate(x[:5], t[:5], ["accuracy"])
    again = used.gradient(x[:3], t[:3])
    assert all(again[name].tobytes() == fresh[name].tobytes() for name in fresh)


@pytest.mark.parametrize("slices", [1, 3])
def test_a_hundred_steps_are_those_of_plain_numpy(plain_network, slices):
    stack = [Affine(50), Relu(), Affine(50), Relu(), Affine(10), SoftmaxWithLoss()]
    network = Sequential(stack, (784,), seed=1, dtype="float64", slices=slices)
    parameters = network.parameters
    names = ("Affine1", "Affine2", "Affine3")
    plain = plain_network([parameters[f"{n}.W"] for n in names], [parameters[f"{n}.b"] for n in names])
    update = Updater(Sgd(0.1), network)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 2000)
    x = rng.random((10, 784))[labels] + 0.3 * rng.random((2000, 784))
    network.set_training(True)
    for step in range(100):
        rows = rng.integers(0, 2000, 100)
        loss = network.loss_and_gradient(x[rows], labels[rows], step)
        update(0.1, step + 1)
        assert loss == pytest.approx(plain.step(x[rows], labels[rows], 0.1), rel=1e-10)
        for name, weight, bias in zip(names, plain.weights, plain.biases, strict=True):
            np.testing.assert_allclose(parameters[f"{name}.W"], weight, rtol=0, atol=1e-10 * np.abs(weight).max())
            np.testing.assert_allclose(parameters[f"{name}.b"], bias, rtol=0, atol=1e-10 * np.abs(weight).max())
    assert loss < 1.0  # it has learnt something
