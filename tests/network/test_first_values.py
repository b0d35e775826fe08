"""A number stands for first values that are all equal, in a layer and in a spec."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit import Layer, SpecError
from mlpkit.layers import Affine, MeanSquaredError
from mlpkit.testing import standalone


class Gain(Layer):
    def build(self, input_shape):
        self.g = self.parameter("g", input_shape, 1)
        return input_shape

    def forward(self, x):
        return x * self.g.value

    def backward(self, dy):
        self.g.grad[...] = 0
        return dy * self.g.value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_fills_a_parameter(dtype):
    g = standalone(Gain(), (3,), dtype=dtype).g.value
    assert g.dtype == dtype
    np.testing.assert_array_equal(g, np.ones(3))


def test_a_layer_takes_a_number_for_an_initializer():
    network = mlpkit.Sequential([Affine(2, weights=0.5, biases=-1), MeanSquaredError()], input_shape=(3,))
    np.testing.assert_array_equal(network.parameters["Affine1.W"], np.full((3, 2), 0.5))
    np.testing.assert_array_equal(network.parameters["Affine1.b"], [-1, -1])


SPEC = "mlpkit: 1\ndata: mnist\nlayers: [Affine: {units: 10, biases: VALUE}, SoftmaxWithLoss]\n"
TRAINING = "training: {optimizer: sgd, batch_size: 100, iterations: 1}\n"


def test_a_spec_takes_a_number_for_an_initializer(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text((SPEC + TRAINING).replace("VALUE", "0.1"), encoding="utf-8")
    network = mlpkit.build(mlpkit.load_spec(path))
    np.testing.assert_array_equal(network.parameters["Affine1.b"], np.full(10, 0.1, np.float32))
    path.write_text((SPEC + TRAINING).replace("VALUE", "[1]"), encoding="utf-8")
    with pytest.raises(SpecError, match=r"a list is not a number, the name of an initializer or a mapping from one"):
        mlpkit.load_spec(path)
