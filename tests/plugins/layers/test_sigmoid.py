"""The logistic sigmoid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.sigmoid import Sigmoid


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=4, max_side=4), elements=st.floats(-20, 20)))
def test_gradients_are_those_of_central_differences(x):
    check_gradients(Sigmoid(), x.shape[1:], x=x)


@pytest.mark.parametrize("rows", [1, 5])
def test_laws_of_every_layer(check_laws, rows):
    check_laws(Sigmoid, (4,), rows)
    check_laws(Sigmoid, (2, 3), rows)


def test_is_the_formula():
    layer = standalone(Sigmoid(), (3,))
    x = np.array([[-1.0, 0.0, 3.0]])
    y = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(layer.forward(x), y, rtol=1e-15)
    np.testing.assert_allclose(layer.backward(np.array([[2.0, 2.0, 2.0]])), 2 * y * (1 - y), rtol=1e-15)


def test_never_overflows(dtype):
    layer = standalone(Sigmoid(), (6,), dtype=dtype)
    largest = np.finfo(dtype).max
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = layer.forward(np.array([[-largest, -1000, -100, 100, 1000, largest]], dtype))
        np.testing.assert_allclose(y[0, [0, 1, 3, 4, 5]], [0, 0, 1, 1, 1], atol=1e-40)
        dx = layer.backward(np.ones((1, 6), dtype))
    assert np.isfinite(dx).all()


def test_small_values_keep_their_digits():
    layer = standalone(Sigmoid(), (2,))
    np.testing.assert_allclose(layer.forward(np.array([[-700.0, -50.0]])), [[np.exp(-700), np.exp(-50)]], rtol=1e-13)
