"""A minibatch as each member of an ensemble sees it."""

from __future__ import annotations

import numpy as np

from mlpkit.testing import standalone
from mlpkit_plugins.layers.ensemble_view import EnsembleView


def test_is_a_view_for_each_member():
    x = np.arange(6.0).reshape(3, 2)
    y = standalone(EnsembleView(4), (2,)).forward(x)
    assert y.shape == (3, 4, 2)
    assert np.shares_memory(x, y)
    for k in range(4):
        np.testing.assert_array_equal(y[:, k], x)


def test_gradient_is_the_sum_over_members():
    layer = standalone(EnsembleView(2), (2,))
    layer.forward(np.zeros((1, 2)))
    np.testing.assert_array_equal(layer.backward(np.array([[[1.0, 2], [3, 5]]])), [[4, 7]])
