"""Features in another shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import ParameterError, ShapeError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.reshape import Reshape


@settings(max_examples=60, deadline=None)
@given(st.permutations([2, 3, 4]), st.sampled_from([[24], [2, 12], [4, 3, 2], [1, 24, 1]]), st.integers(0, 3))
def test_is_a_reshape_there_and_back(before, after, rows):
    layer = standalone(Reshape(after), tuple(before))
    x = np.arange(24.0 * rows).reshape(rows, *before)
    y = layer.forward(x)
    np.testing.assert_array_equal(y, x.reshape(rows, *after))
    np.testing.assert_array_equal(layer.backward(y.copy()), x)


def test_an_empty_shape_is_a_number_an_example():
    assert standalone(Reshape([]), (1,)).forward(np.ones((5, 1))).shape == (5,)


def test_what_it_can_not_do():
    with pytest.raises(ShapeError) as caught:
        Reshape([4, 2]).build((2, 3))
    assert str(caught.value) == (
        "Reshape can't give inputs of shape (2, 3) the shape (4, 2); expected a shape of 6 elements in place of 8"
    )
    with pytest.raises(ParameterError, match="shape"):
        Reshape([0, 2])
