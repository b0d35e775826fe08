"""Rescaling by fixed numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit.errors import ParameterError
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.rescaling import Rescaling

SCALES = st.floats(-100, 100).filter(lambda scale: abs(scale) > 1e-3)


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=4, max_side=4), elements=st.floats(-20, 20)),
    SCALES,
    st.floats(-1000, 1000),
)
def test_gradients_are_those_of_central_differences(x, scale, offset):
    check_gradients(Rescaling(scale, offset), x.shape[1:], x=x)


@pytest.mark.parametrize("rows", [1, 5])
def test_laws_of_every_layer(check_laws, rows):
    check_laws(lambda: Rescaling(2.5, 20.0), (4,), rows)
    check_laws(lambda: Rescaling([0.5, -2.0, 3.0], [1.0, 0.0, -4.0]), (2, 3), rows)


def test_is_the_formula(dtype):
    layer = standalone(Rescaling([2.0, -0.5], [10.0, 0.25]), (2,), dtype=dtype)
    x = np.array([[1.0, 4.0], [0.0, -2.0]], dtype)
    np.testing.assert_array_equal(layer.forward(x), np.array([[12.0, -1.75], [10.0, 1.25]], dtype))
    np.testing.assert_array_equal(layer.backward(np.ones((2, 2), dtype)), np.array([[2.0, -0.5]] * 2, dtype))
    assert layer.forward(x).dtype == dtype


@pytest.mark.parametrize(
    ("arguments", "parameter", "expected"),
    [
        ((0.0,), "scale", "a scale is 0"),
        (([1.0, 0.0],), "scale", "a scale is 0"),
        (([1.0, 2.0], [1.0]), "offset", "scale and offset have 1 and 2 numbers"),
    ],
)
def test_wrong_parameters(arguments, parameter, expected):
    with pytest.raises(ParameterError, match=expected) as error:
        Rescaling(*arguments)
    assert error.value.parameter == parameter


def test_a_list_needs_a_number_for_each_feature():
    with pytest.raises(StackError, match=r"rescales 2 features, but its inputs have shape \(3,\)"):
        standalone(Rescaling([1.0, 2.0]), (3,))
