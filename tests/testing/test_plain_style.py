"""A layer as one would write it in a notebook: new arrays at each call, and no buffers."""

from __future__ import annotations

import numpy as np

import mlpkit
from mlpkit import Layer
from mlpkit.testing import conformance
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.sgd import Sgd


class PlainAffine(Layer):
    """Affine map of the features, y = x W + b.

    Args:
        units: number of outputs.
    """

    def __init__(self, units: int = 8) -> None:
        if units < 1:
            raise mlpkit.ParameterError("units", f"{units} is no number of units", expected="at least 1")
        self.units = units

    def build(self, input_shape):
        (features,) = self.expect_rank(input_shape, 1)
        self.W = self.parameter("W", (features, self.units), "he_normal")
        self.b = self.parameter("b", (self.units,), "zeros", decay=False)
        return (self.units,)

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W.value) + self.b.value

    def backward(self, dy):
        self.W.grad[...] = np.dot(self.x.T, dy)
        self.b.grad[...] = np.sum(dy, axis=0)
        return np.dot(dy, self.W.value.T)


class PlainRelu(Layer):
    """Rectified linear unit, y = max(x, 0)."""

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dy):
        dy[self.mask] = 0
        return dy


test_plain_affine = conformance(PlainAffine)
test_plain_relu = conformance(PlainRelu)


def trained(hidden):
    """Train three classes of points for a while, and return the network, the points and their classes."""
    from mlpkit.training.update import Updater

    rng = np.random.default_rng(0)
    t = np.arange(90) % 3
    centres = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
    x = (centres[t] + rng.normal(scale=0.4, size=(90, 2))).astype(np.float32)
    network = mlpkit.Sequential([*hidden, Affine(3), SoftmaxWithLoss()], (2,), seed=1)
    update = Updater(Sgd(), network)
    network.set_training(True)
    for step in range(60):
        network.loss_and_gradient(x, t, step)
        update(0.5, step + 1)
    return network, x, t


def test_it_trains():
    network, x, t = trained([PlainAffine(), PlainRelu()])
    assert network.accuracy(x, t) > 0.95
    assert network.loss(x, t) < 0.1
