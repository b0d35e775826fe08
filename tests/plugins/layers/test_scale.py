"""A trained scale of each feature."""

from __future__ import annotations

import numpy as np

from mlpkit.testing import standalone
from mlpkit_plugins.layers.scale import Scale


def test_is_the_formula():
    layer = standalone(Scale(), (2,))
    np.testing.assert_array_equal(layer.s.value, [1, 1])
    layer.s.value[...] = [2, -3]
    np.testing.assert_array_equal(layer.forward(np.array([[1.0, 2], [3, 4]])), [[2, -6], [6, -12]])
    np.testing.assert_array_equal(layer.backward(np.array([[1.0, 0], [5, 1]])), [[2, 0], [10, -3]])
    np.testing.assert_array_equal(layer.s.grad, [16, 4])
    assert not layer.s.decay
