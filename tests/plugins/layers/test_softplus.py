"""The softplus."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.softplus import Softplus


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=4, max_side=4), elements=st.floats(-20, 20)))
def test_gradients_are_those_of_central_differences(x):
    check_gradients(Softplus(), x.shape[1:], x=x)


@pytest.mark.parametrize("rows", [1, 5])
def test_laws_of_every_layer(check_laws, rows):
    check_laws(Softplus, (4,), rows)
    check_laws(Softplus, (2, 3), rows)


def test_is_the_formula():
    layer = standalone(Softplus(), (4,))
    x = np.array([[-3.0, -0.5, 0.25, 2.0]])
    np.testing.assert_allclose(layer.forward(x), np.log(1 + np.exp(x)), rtol=1e-14)
    np.testing.assert_allclose(layer.backward(np.full((1, 4), 2.0)), 2 * (1 / (1 + np.exp(-x))), rtol=1e-14)


def test_stays_finite_for_inputs_of_any_size(dtype):
    layer = standalone(Softplus(), (4,), dtype=dtype)
    largest = np.finfo(dtype).max
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = layer.forward(np.array([[-largest, -1000, 1000, largest]], dtype)).copy()
        dx = layer.backward(np.ones((1, 4), dtype))
    np.testing.assert_array_equal(y, np.array([[0, 0, 1000, largest]], dtype))
    np.testing.assert_array_equal(dx, np.array([[0, 0, 1, 1]], dtype))


def test_what_is_not_a_number_is_not_hidden():
    assert np.isnan(standalone(Softplus(), (1,)).forward(np.array([[np.nan]]))).all()


def test_small_values_keep_their_digits():
    layer = standalone(Softplus(), (2,))
    np.testing.assert_allclose(layer.forward(np.array([[-700.0, -50.0]])), [[np.exp(-700), np.exp(-50)]], rtol=1e-13)
