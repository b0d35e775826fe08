"""The mish activation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.mish import Mish


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=4, max_side=4), elements=st.floats(-20, 30)))
def test_gradients_are_those_of_central_differences(x):
    check_gradients(Mish(), x.shape[1:], x=x)


@pytest.mark.parametrize("rows", [1, 5])
def test_laws_of_every_layer(check_laws, rows):
    check_laws(Mish, (4,), rows)
    check_laws(Mish, (2, 3), rows)


def test_is_the_formula():
    layer = standalone(Mish(), (101,))
    x = np.linspace(-30, 30, 101)[np.newaxis]
    t, sigmoid = np.tanh(np.log1p(np.exp(x))), 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(layer.forward(x), x * t, rtol=1e-14)
    dx = 2 * (t + x * (1 - t**2) * sigmoid)
    np.testing.assert_allclose(layer.backward(np.full((1, 101), 2.0)), dx, rtol=1e-13, atol=1e-14)


def test_stays_finite_for_inputs_of_any_size(dtype):
    layer = standalone(Mish(), (4,), dtype=dtype)
    largest = np.finfo(dtype).max
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = layer.forward(np.array([[-largest, -1000, 1000, largest]], dtype)).copy()
        dx = layer.backward(np.ones((1, 4), dtype))
    np.testing.assert_array_equal(y, np.array([[0, 0, 1000, largest]], dtype))
    np.testing.assert_array_equal(dx, np.array([[0, 0, 1, 1]], dtype))


def test_what_is_not_a_number_is_not_hidden(dtype):
    layer = standalone(Mish(), (1,), dtype=dtype)
    assert np.isnan(layer.forward(np.array([[np.nan]], dtype))).all()
    assert np.isnan(layer.backward(np.ones((1, 1), dtype))).all()
