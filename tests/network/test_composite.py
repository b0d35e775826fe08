"""Layers inside layers."""

from __future__ import annotations

import numpy as np

from mlpkit import Layer, Recipe, Sequential
from mlpkit.testing import check_gradients
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


class Residual(Layer):
    """y = x + g(f(x)) with f of the units of x.

    Args:
        inner: the layers, one after the other.
    """

    def __init__(self, inner: list[Recipe[Layer]]):
        self.inner = inner

    def build(self, input_shape):
        self.layers = [make() for make in self.inner]
        shape = input_shape
        for layer in self.layers:
            shape = self.child(layer, shape)
        return shape

    def forward(self, x):
        y = x
        for layer in self.layers:
            y = layer.forward(y)
        return x + y

    def backward(self, dy):
        dx = dy.copy()
        for layer in reversed(self.layers):
            dx = layer.backward(dx)
        return dx + dy


class Noise(Layer):
    """y = x + noise."""

    def forward(self, x):
        self.noise = self.rng.normal(size=x.shape)
        return x + self.noise

    def backward(self, dy):
        return dy


def residual(*inner):
    return Residual([*inner])


def network(slices=1):
    stack = [
        residual(lambda: Affine(4), Sigmoid, lambda: Affine(4)),
        residual(lambda: residual(lambda: Affine(4))),
        SoftmaxWithLoss(),
    ]
    return Sequential(stack, (4,), dtype="float64", slices=slices)


def test_parameters_are_named_after_the_way_to_them():
    assert list(network().parameters) == [
        "Residual1.Affine1.W",
        "Residual1.Affine1.b",
        "Residual1.Affine2.W",
        "Residual1.Affine2.b",
        "Residual2.Residual1.Affine1.W",
        "Residual2.Residual1.Affine1.b",
    ]


def test_gradients_go_through():
    check_gradients(residual(lambda: Affine(4), Sigmoid, lambda: Affine(4)), (4,))
    check_gradients(residual(lambda: residual(lambda: Affine(4))), (4,), rows=1)


def test_composites_can_be_cut_into_slices(examples):
    x, t = examples(10, 4, 4)
    whole, cut = network(), network(slices=3)
    for name, gradient in whole.gradient(x, t).items():
        np.testing.assert_allclose(cut.gradient(x, t)[name], gradient, rtol=0, atol=1e-13)


def test_every_layer_inside_gets_training_dtype_and_randomness(examples):
    x, _ = examples(3, 4, 4)
    stack = [residual(Noise, Noise), SoftmaxWithLoss()]
    net = Sequential(stack, (4,), dtype="float64", seed=1)
    first, second = stack[0].layers
    assert (first.dtype, first.training) == (np.float64, False)
    net.set_training(True)
    assert first.training
    net.replicas[0].forward(x)
    kept = first.noise.copy()
    assert not np.array_equal(first.noise, second.noise)
    net.replicas[0].forward(x)
    np.testing.assert_array_equal(first.noise, kept)
