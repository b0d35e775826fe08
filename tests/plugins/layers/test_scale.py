"""A trained scale of each feature."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.scale import Scale


def test_is_the_formula():
    layer = standalone(Scale(), (2,))
    np.testing.assert_array_equal(layer.s.value, [1, 1])
    layer.s.value[...] = [2, -3]
    np.testing.assert_array_equal(layer.forward(np.array([[1.0, 2], [3, 4]])), [[2, -6], [6, -12]])
    np.testing.assert_array_equal(layer.backward(np.array([[1.0, 0], [5, 1]])), [[2, 0], [10, -3]])
    np.testing.assert_array_equal(layer.s.grad, [16, 4])
    assert not layer.s.decay


@pytest.mark.parametrize("shape", [(4,), (2, 3, 2)])
def test_gradients_are_those_of_central_differences(shape):
    check_gradients(Scale(), shape)


@pytest.mark.parametrize("rows", [1, 5])
def test_laws_of_every_layer(check_laws, rows):
    check_laws(Scale, (4,), rows)
    check_laws(Scale, (2, 3), rows)
