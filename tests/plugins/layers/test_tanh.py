"""The hyperbolic tangent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.tanh import Tanh


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=4, max_side=4), elements=st.floats(-20, 20)))
def test_gradients_are_those_of_central_differences(x):
    check_gradients(Tanh(), x.shape[1:], x=x)


@pytest.mark.parametrize("rows", [1, 5])
def test_laws_of_every_layer(check_laws, rows):
    check_laws(Tanh, (4,), rows)
    check_laws(Tanh, (2, 3), rows)


def test_is_the_formula():
    layer = standalone(Tanh(), (4,))
    x = np.array([[-3.0, -0.5, 0.25, 2.0]])
    np.testing.assert_allclose(layer.forward(x), np.sinh(x) / np.cosh(x), rtol=1e-14)
    np.testing.assert_allclose(layer.backward(np.full((1, 4), 2.0)), 2 * (1 / np.cosh(x) ** 2), rtol=1e-14)


def test_stays_finite_for_inputs_of_any_size(dtype):
    layer = standalone(Tanh(), (4,), dtype=dtype)
    largest = np.finfo(dtype).max
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = layer.forward(np.array([[-largest, -1000, 1000, largest]], dtype)).copy()
        dx = layer.backward(np.ones((1, 4), dtype))
    np.testing.assert_array_equal(y, np.array([[-1, -1, 1, 1]], dtype))
    np.testing.assert_array_equal(dx, np.array([[0, 0, 0, 0]], dtype))


def test_what_is_not_a_number_is_not_hidden():
    assert np.isnan(standalone(Tanh(), (1,)).forward(np.array([[np.nan]]))).all()
