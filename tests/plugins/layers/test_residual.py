"""A shortcut around layers."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Layer, ParameterError, Sequential, ShapeError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.residual import Residual
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


def test_is_the_formula():
    layer = standalone(Residual([Affine(2, bias=False)]), (2,))
    (weights,) = layer.declared_parameters()
    weights.value[...] = [[1, 2], [3, 4]]
    np.testing.assert_array_equal(layer.forward(np.array([[1.0, 10]])), [[1 + 31, 10 + 42]])
    np.testing.assert_array_equal(layer.backward(np.array([[1.0, 100]])), [[1 + 201, 100 + 403]])
    np.testing.assert_array_equal(weights.grad, [[1, 100], [10, 1000]])


class Greedy(Layer):
    """y = 2 x, whose backward leaves nothing of what it is given."""

    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        dx = 2 * dy
        dy[...] = np.nan
        return dx


def test_layers_inside_may_overwrite_what_they_are_given():
    layer = standalone(Residual([Greedy()]), (3,))
    layer.forward(np.ones((1, 3)))
    np.testing.assert_array_equal(layer.backward(np.array([[1.0, 2, 3]])), [[3, 6, 9]])


def test_the_shapes_must_agree():
    with pytest.raises(ShapeError) as caught:
        Residual([Affine(3), Relu()]).build((4,))
    assert str(caught.value) == (
        "Residual can't add outputs of shape (3,) to inputs of shape (4,); expected layers inside that return shape "
        "(4,); change the last of them, or put a layer after them that restores the shape"
    )
    with pytest.raises(ParameterError, match="layers: the list has 0 items"):
        Residual([])


def test_no_input_gradient_if_it_is_not_needed():
    first = Affine(4)
    network = Sequential([Residual([first, Relu(), Affine(4)]), SoftmaxWithLoss()], (4,))
    again = Sequential([Affine(4), Residual([Affine(4)]), SoftmaxWithLoss()], (4,))
    x, t = np.ones((2, 4)), np.array([0, 1])
    assert np.abs(network.gradient(x, t)["Residual1.Affine1.W"]).sum() > 0
    assert not first.needs_input_gradient
    assert np.abs(again.gradient(x, t)["Affine1.W"]).sum() > 0
