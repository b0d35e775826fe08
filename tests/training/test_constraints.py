"""Constraints of layers and limits of norms, applied after each step."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import mlpkit
from mlpkit import ComponentFailure, Layer
from mlpkit.training.update import limit_norms
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.conv2d import Conv2d
from mlpkit_plugins.layers.flatten import Flatten
from mlpkit_plugins.layers.reshape import Reshape
from mlpkit_plugins.optimizers.sgd import Sgd


class Positive(Layer):
    """A scale that never gets negative, y = s x."""

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken

    def build(self, input_shape):
        constraint = (lambda _: 1 / 0) if self.broken else (lambda s: np.maximum(s, 0, out=s))
        self.s = self.parameter("s", input_shape, "zeros", constraint=constraint)
        return input_shape

    def forward(self, x):
        self.x = x
        return self.s.value * x

    def backward(self, dy):
        self.s.grad[...] = (dy * self.x).sum(axis=0)
        return self.s.value * dy


def lengths(W):
    return np.sqrt((W**2).sum(axis=0))


def test_the_incoming_weights_of_each_unit_are_shortened_to_the_limit_after_each_step(make_trainer):
    """A step of plain gradient descent, then the projection, as the paper says; b and the last layer stay free."""
    free, limited = make_trainer(Affine(7)), make_trainer(Affine(7), max_weight_norm={"Affine1.*": 9, "Affine1.W": 0.8})
    for step in range(1, 9):
        for trainer in (free, limited):
            trainer._gradient(step - 1, 0.1)
        free._update(0.1, step)
        limited._constrained_update(0.1, step)
        expected = free.network.parameters["Affine1.W"]
        expected /= np.maximum(1, lengths(expected) / 0.8)
        for path, value in limited.network.parameters.items():
            np.testing.assert_allclose(value, free.network.parameters[path], rtol=1e-12, atol=1e-12)
    assert (lengths(limited.network.parameters["Affine1.W"]) <= 0.8 + 1e-12).all()
    assert (lengths(limited.network.parameters["Affine2.W"]) > 0.8).any()


def test_units_of_filters_are_their_rows(make_trainer):
    layers = [Reshape([1, 1, 3]), Conv2d(4, 1), Flatten()]
    trainer = make_trainer(*layers, max_weight_norm={"*.W": 0.1})
    W = trainer.network.parameters["Conv2d1.W"]
    W[...] = np.arange(1, 5)[:, np.newaxis] * 0.04
    limit_norms(trainer.network.layers[1].W, 0.1)
    np.testing.assert_allclose(W[:, 0], [0.04, 0.08, 0.1, 0.1])


def test_weights_within_the_limit_keep_their_bits(make_trainer):
    free, limited = make_trainer(Affine(7)), make_trainer(Affine(7), max_weight_norm={"*": 1e6})
    free.train()
    limited.train()
    assert free.network.values.tobytes() == limited.network.values.tobytes()


def test_a_layer_constrains_its_own_parameters(make_trainer):
    trainer = make_trainer(Positive(), iterations=1, optimizer=Sgd(1.0))
    trainer.train()
    s, gradient = trainer.network.parameters["Positive1.s"], trainer.network.gradient_values
    assert (s >= 0).all()
    assert (s == 0).any()
    assert gradient.any()
    with pytest.raises(ComponentFailure, match=r"the constraint of Positive1\.s failed: ZeroDivisionError"):
        make_trainer(Positive(broken=True)).train()


def test_frozen_layers_are_left_alone(make_trainer):
    trainer = make_trainer(Affine(7), max_weight_norm={"*.W": 0.1}, frozen=["Affine1"])
    before = copy.deepcopy(dict(trainer.network.parameters))
    trainer.train()
    np.testing.assert_array_equal(trainer.network.parameters["Affine1.W"], before["Affine1.W"])
    assert (lengths(trainer.network.parameters["Affine2.W"]) <= 0.1 + 1e-12).all()


def test_fit_takes_the_key():
    x, t = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    layers = [{"Affine": {"units": 5}}, "Relu", {"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    run = mlpkit.fit(
        x, t, layers=layers, max_weight_norm={"*.W": 0.2}, optimizer="sgd", batch_size=10, epochs=2, quiet=True
    )
    for path in ("Affine1.W", "Affine2.W"):
        assert (lengths(run.network.parameters[path]) <= 0.2 + 1e-6).all()
