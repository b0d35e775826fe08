"""The parametric rectified linear unit."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ShapeError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.prelu import Prelu


def test_is_the_formula(dtype):
    layer = standalone(Prelu(), (2,), dtype=dtype)
    (slope,) = layer.declared_parameters()
    np.testing.assert_array_equal(slope.value, [0.25, 0.25])
    slope.value[...] = [0.5, -2]
    x = np.array([[-3, 2], [4, -1], [-1, -1]], dtype)
    np.testing.assert_array_equal(layer.forward(x), [[-1.5, 2], [4, 2], [-0.5, 2]])
    np.testing.assert_array_equal(
        layer.backward(np.array([[1, 10], [2, 20], [3, 30]], dtype)), [[0.5, 10], [2, -40], [1.5, -60]]
    )
    np.testing.assert_array_equal(slope.grad, [-6, -50])


def test_channels_of_an_image_have_a_slope_each():
    layer = standalone(Prelu(0.5), (2, 1, 2))
    (slope,) = layer.declared_parameters()
    slope.value[...] = [1, 10]
    y = layer.forward(np.array([[[[-1.0, 2]], [[-3, -4]]]]))
    np.testing.assert_array_equal(y, [[[[-1, 2]], [[-30, -40]]]])
    layer.backward(np.ones((1, 2, 1, 2)))
    np.testing.assert_array_equal(slope.grad, [-1, -7])


def test_slopes_never_decay():
    (slope,) = standalone(Prelu(), (2,)).declared_parameters()
    assert not slope.decay


def test_a_single_number_has_no_features():
    with pytest.raises(ShapeError, match=r"Prelu can't take inputs of shape \(\); expected a shape with an axis"):
        Prelu().build(())


def test_what_is_not_a_number_is_not_hidden(dtype):
    assert np.isnan(standalone(Prelu(), (1,), dtype=dtype).forward(np.array([[np.nan]], dtype))).all()
