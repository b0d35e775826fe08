"""All features in one row."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import Sequential
from mlpkit.testing import standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.flatten import Flatten
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=1, max_dims=4, max_side=4), elements=st.floats(-9, 9)))
def test_is_a_reshape_there_and_back(x):
    layer = standalone(Flatten(), x.shape[1:])
    y = layer.forward(x)
    np.testing.assert_array_equal(y, x.reshape(len(x), -1))
    np.testing.assert_array_equal(layer.backward(y.copy()), x)


def test_images_in_the_order_of_convolutions_are_copied_to_the_same_memory_each_time():
    x = np.arange(120, dtype=np.float32).reshape(5, 4, 3, 2).transpose(3, 1, 2, 0)
    layer = standalone(Flatten(), x.shape[1:], dtype="float32")
    y = layer.forward(x)
    np.testing.assert_array_equal(y, x.reshape(2, -1))
    assert np.shares_memory(layer.forward(x), y)


def test_lets_images_into_an_affine_layer():
    network = Sequential([Flatten(), Affine(3), SoftmaxWithLoss()], (2, 4))
    assert network.parameters["Affine1.W"].shape == (8, 3)
    assert network.predict(np.ones((5, 2, 4))).shape == (5, 3)
