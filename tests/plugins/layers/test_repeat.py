"""Copies of a layer, one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ParameterError, Sequential
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.repeat import Repeat
from mlpkit_plugins.layers.residual import Residual
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


def test_every_copy_has_parameters_of_its_own():
    network = Sequential([Repeat(2, lambda: Affine(4)), SoftmaxWithLoss()], (4,))
    first, second = network.parameters["Repeat1.Affine1.W"], network.parameters["Repeat1.Affine2.W"]
    assert not np.array_equal(first, second)
    first[...] = np.eye(4)
    second[...] = 2 * np.eye(4)
    np.testing.assert_array_equal(network.replicas[0].forward(np.ones((1, 4), np.float32)), [[2, 2, 2, 2]])


def test_the_shape_may_change_once():
    layer = standalone(Repeat(3, lambda: Affine(2)), (5,))
    assert [p.shape for p in layer.declared_parameters() if p.name == "W"] == [(5, 2), (2, 2), (2, 2)]
    assert layer.forward(np.ones((3, 5))).shape == (3, 2)


def test_what_it_can_not_take():
    with pytest.raises(ParameterError, match="times: 0 is out of range"):
        Repeat(0, lambda: Affine(2))
    with pytest.raises(ParameterError, match=r"layer: Affine is already built; .*; pass a function that builds it"):
        Repeat(2, Affine(2))


@pytest.mark.parametrize("rows", [1, 4])
def test_gradients_are_those_of_central_differences(rows):
    check_gradients(Repeat(3, lambda: Affine(3)), (4,), rows=rows)
    check_gradients(Repeat(2, lambda: Residual([Affine(4), Sigmoid()])), (4,), rows=rows)
