"""The scaled exponential linear unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.selu import Selu

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805
away_from_the_kink = st.one_of(st.floats(-20, -1e-3), st.floats(1e-3, 20))


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=4, max_side=4), elements=away_from_the_kink))
def test_gradients_are_those_of_central_differences(x):
    check_gradients(Selu(), x.shape[1:], x=x)


@pytest.mark.parametrize("rows", [1, 5])
def test_laws_of_every_layer(check_laws, rows):
    check_laws(Selu, (4,), rows)
    check_laws(Selu, (2, 3), rows)


def test_is_the_formula():
    layer = standalone(Selu(), (4,))
    x = np.array([[-3.0, -0.5, 0.25, 2.0]])
    y = SCALE * np.where(x > 0, x, ALPHA * (np.exp(x) - 1))
    np.testing.assert_allclose(layer.forward(x), y, rtol=1e-14)
    dx = 2 * SCALE * np.where(x > 0, 1, ALPHA * np.exp(x))
    np.testing.assert_allclose(layer.backward(np.full((1, 4), 2.0)), dx, rtol=1e-14)


def test_mean_and_variance_are_kept():
    x = np.random.default_rng(0).normal(size=(1000, 1000))
    y = standalone(Selu(), (1000,)).forward(x)
    assert abs(y.mean()) < 0.005
    assert abs(y.var() - 1) < 0.005


def test_stays_finite_for_inputs_of_any_size(dtype):
    layer = standalone(Selu(), (3,), dtype=dtype)
    largest = np.finfo(dtype).max / 2
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = layer.forward(np.array([[-largest, -1000, largest]], dtype)).copy()
        dx = layer.backward(np.ones((1, 3), dtype))
    rounding = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(y, [[-SCALE * ALPHA, -SCALE * ALPHA, SCALE * float(largest)]], rtol=rounding)
    np.testing.assert_allclose(dx, [[0, 0, SCALE]], rtol=rounding)


def test_what_is_not_a_number_is_not_hidden(dtype):
    assert np.isnan(standalone(Selu(), (1,), dtype=dtype).forward(np.array([[np.nan]], dtype))).all()
