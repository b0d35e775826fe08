"""The mean of each patch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import ParameterError, ShapeError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.average_pool2d import AveragePool2d


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.one_of(st.none(), st.integers(1, 3)), st.integers(3, 6), st.integers(3, 6))
def test_is_the_mean_of_each_patch_and_has_its_gradient(size, stride, height, width):
    shape = (2, height, width)
    x = np.random.default_rng(0).permutation(6 * height * width).reshape(3, *shape) / 10
    check_gradients(AveragePool2d(size, stride=stride), shape, x=x)
    y = standalone(AveragePool2d(size, stride=stride), shape).forward(x)
    step = stride or size
    for row, channel, i, j in np.ndindex(y.shape):
        patch = x[row, channel, i * step : i * step + size, j * step : j * step + size]
        assert y[row, channel, i, j] == pytest.approx(patch.mean(), rel=1e-14)
    assert y.shape[2:] == ((height - size) // step + 1, (width - size) // step + 1)


def test_every_pixel_of_a_patch_gets_its_share():
    layer = standalone(AveragePool2d(), (1, 2, 5))
    layer.forward(np.ones((1, 1, 2, 5)))
    found = layer.backward(np.array([[[[4.0, 8]]]]))
    np.testing.assert_array_equal(found, [[[[1, 1, 2, 2, 0], [1, 1, 2, 2, 0]]]])


def test_what_it_can_not_take():
    with pytest.raises(ShapeError, match=r"AveragePool2d can't take images of 2 by 4 pixels; expected at least 3 by 3"):
        AveragePool2d(3).build((1, 2, 4))
    with pytest.raises(ShapeError, match=r"put Reshape: \{shape: \[channels, height, width\]\} before it"):
        AveragePool2d().build((784,))
    with pytest.raises(ParameterError, match="size: 0 is out of range"):
        AveragePool2d(0)
