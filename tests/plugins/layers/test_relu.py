"""The rectified linear unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.relu import Relu

away_from_the_kink = st.one_of(st.floats(-100, -1e-3), st.floats(1e-3, 100))


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=4, max_side=4), elements=away_from_the_kink))
def test_gradients_are_those_of_central_differences(x):
    check_gradients(Relu(), x.shape[1:], x=x)


@pytest.mark.parametrize("rows", [1, 5])
def test_laws_of_every_layer(check_laws, rows):
    check_laws(Relu, (4,), rows)
    check_laws(Relu, (2, 3), rows)


def test_is_the_formula():
    layer = standalone(Relu(), (4,))
    np.testing.assert_array_equal(layer.forward(np.array([[-1.0, 0, 2, -0.0]])), [[0, 0, 2, 0]])
    np.testing.assert_array_equal(layer.backward(np.array([[5.0, 6, 7, 8]])), [[0, 0, 7, 0]])


def test_what_is_not_a_number_is_not_hidden():
    layer = standalone(Relu(), (2,))
    assert np.isnan(layer.forward(np.array([[np.nan, 1.0]]))[0, 0])


def test_has_no_parameters():
    assert list(standalone(Relu(), (4,)).declared_parameters()) == []
