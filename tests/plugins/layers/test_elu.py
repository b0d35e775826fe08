"""The exponential linear unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import ParameterError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.elu import Elu

away_from_the_kink = st.one_of(st.floats(-20, -1e-3), st.floats(1e-3, 20))


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=4, max_side=4), elements=away_from_the_kink))
def test_gradients_are_those_of_central_differences(x):
    check_gradients(Elu(1.0), x.shape[1:], x=x)


@pytest.mark.parametrize("rows", [1, 5])
def test_laws_of_every_layer(check_laws, rows):
    check_laws(lambda: Elu(1.0), (4,), rows)
    check_laws(lambda: Elu(1.0), (2, 3), rows)


def test_is_the_formula():
    layer = standalone(Elu(1.0), (4,))
    x = np.array([[-3.0, -0.5, 0.25, 2.0]])
    np.testing.assert_allclose(layer.forward(x), [[np.exp(-3) - 1, np.exp(-0.5) - 1, 0.25, 2]], rtol=1e-14)
    np.testing.assert_allclose(
        layer.backward(np.full((1, 4), 2.0)), 2 * (np.array([[np.exp(-3), np.exp(-0.5), 1, 1]])), rtol=1e-14
    )


def test_stays_finite_for_inputs_of_any_size(dtype):
    layer = standalone(Elu(1.0), (4,), dtype=dtype)
    largest = np.finfo(dtype).max
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = layer.forward(np.array([[-largest, -1000, 1000, largest]], dtype)).copy()
        dx = layer.backward(np.ones((1, 4), dtype))
    np.testing.assert_array_equal(y, np.array([[-1, -1, 1000, largest]], dtype))
    np.testing.assert_array_equal(dx, np.array([[0, 0, 1, 1]], dtype))


def test_what_is_not_a_number_is_not_hidden():
    assert np.isnan(standalone(Elu(1.0), (1,)).forward(np.array([[np.nan]]))).all()


def test_alpha_scales_what_is_negative():
    layer = standalone(Elu(3.0), (3,))
    x = np.array([[-1000.0, -1.0, 2.0]])
    np.testing.assert_allclose(layer.forward(x), [[-3, 3 * np.expm1(-1), 2]], rtol=1e-15)
    np.testing.assert_allclose(layer.backward(np.ones((1, 3))), [[0, 3 * np.exp(-1), 1]], rtol=1e-15)
    with pytest.raises(ParameterError, match=r"alpha: 0\.0 is out of range"):
        Elu(0.0)


def test_small_values_keep_their_digits():
    layer = standalone(Elu(), (2,))
    np.testing.assert_allclose(layer.forward(np.array([[-1e-12, -1e-100]])), [[-1e-12, -1e-100]], rtol=1e-11)
