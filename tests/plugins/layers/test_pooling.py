"""The largest and the mean of each patch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import ParameterError, ShapeError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.average_pool2d import AveragePool2d
from mlpkit_plugins.layers.max_pool2d import MaxPool2d

of_both = pytest.mark.parametrize(("layer", "of"), [(MaxPool2d, np.max), (AveragePool2d, np.mean)])


@of_both
@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(1, 3),
    stride=st.one_of(st.none(), st.integers(1, 3)),
    height=st.integers(3, 6),
    width=st.integers(3, 6),
)
def test_is_that_of_each_patch_and_has_its_gradient(layer, of, size, stride, height, width):
    shape = (2, height, width)
    x = np.random.default_rng(0).permutation(6 * height * width).reshape(3, *shape) / 10
    check_gradients(layer(size, stride=stride), shape, x=x)
    y = standalone(layer(size, stride=stride), shape).forward(x)
    step = stride or size
    for row, channel, i, j in np.ndindex(y.shape):
        patch = x[row, channel, i * step : i * step + size, j * step : j * step + size]
        assert y[row, channel, i, j] == pytest.approx(of(patch), rel=1e-14)
    assert y.shape[2:] == ((height - size) // step + 1, (width - size) // step + 1)


def test_the_gradient_goes_to_the_first_of_equal_pixels():
    layer = standalone(MaxPool2d(), (1, 2, 4))
    layer.forward(np.array([[[[1.0, 1, 0, 2], [1, 1, 2, 2]]]]))
    np.testing.assert_array_equal(layer.backward(np.array([[[[5.0, 7]]]])), [[[[5, 0, 0, 7], [0, 0, 0, 0]]]])


def test_every_pixel_of_a_patch_gets_its_share_of_a_mean():
    layer = standalone(AveragePool2d(), (1, 2, 5))
    layer.forward(np.ones((1, 1, 2, 5)))
    found = layer.backward(np.array([[[[4.0, 8]]]]))
    np.testing.assert_array_equal(found, [[[[1, 1, 2, 2, 0], [1, 1, 2, 2, 0]]]])


@of_both
def test_what_is_not_a_number_is_not_hidden(layer, of):
    x = np.array([[[[1.0, np.nan], [2, 3]]]])
    assert np.isnan(standalone(layer(), (1, 2, 2)).forward(x)).all()


@of_both
def test_what_it_can_not_take(layer, of):
    with pytest.raises(ShapeError, match=r"Pool2d can't take images of 2 by 4 pixels; expected at least 3 by 3"):
        layer(3).build((1, 2, 4))
    with pytest.raises(ShapeError, match=r"put Reshape: \{shape: \[channels, height, width\]\} before it"):
        layer().build((784,))
    with pytest.raises(ParameterError, match="size: 0 is out of range"):
        layer(0)
