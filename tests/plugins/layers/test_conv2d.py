"""Two-dimensional convolution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import ParameterError, ShapeError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.conv2d import Conv2d


@st.composite
def convolutions(draw):
    """Return parameters of a layer, and a shape of images that it takes."""
    parameters = {
        "filters": draw(st.integers(1, 3)),
        "size": draw(st.integers(1, 3)),
        "stride": draw(st.integers(1, 3)),
        "padding": draw(st.integers(0, 2)),
        "bias": draw(st.booleans()),
    }
    return parameters, (draw(st.integers(1, 2)), draw(st.integers(3, 5)), draw(st.integers(3, 5)))


@settings(max_examples=40, deadline=None)
@given(convolutions(), st.integers(0, 99))
def test_gradients_are_those_of_central_differences(drawn, seed):
    parameters, shape = drawn
    check_gradients(Conv2d(**parameters), shape, rows=2, seed=seed)


@settings(max_examples=40, deadline=None)
@given(convolutions(), st.integers(0, 99))
def test_is_the_sum_over_each_patch(drawn, seed):
    parameters, shape = drawn
    layer = standalone(Conv2d(**parameters), shape, seed=seed)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, *shape))
    size, stride, p = parameters["size"], parameters["stride"], parameters["padding"]
    W = layer.W.value.reshape(parameters["filters"], shape[0], size, size)
    b = np.zeros(parameters["filters"])
    if parameters["bias"]:
        b = layer.b.value[...] = rng.normal(size=b.shape)
    padded = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    y = layer.forward(x)
    for row, f, i, j in np.ndindex(y.shape):
        patch = padded[row, :, i * stride : i * stride + size, j * stride : j * stride + size]
        assert y[row, f, i, j] == pytest.approx((W[f] * patch).sum() + b[f], rel=1e-12, abs=1e-12)


def test_declares_a_row_of_weights_a_filter():
    layer = standalone(Conv2d(4, 5, padding=2), (3, 28, 20))
    assert [(p.path, p.shape, p.decay) for p in layer.declared_parameters()] == [
        ("Conv2d1.W", (4, 75), True),
        ("Conv2d1.b", (4,), False),
    ]
    assert layer.W.fans == (75, 100)
    assert layer.flops((3, 28, 20)) == 6 * 4 * 75 * 28 * 20
    wide = standalone(Conv2d(400, 5), (20, 5, 5))
    assert wide.W.value.std() == pytest.approx((2 / 500) ** 0.5, rel=0.01)


def test_there_is_no_input_gradient_if_it_is_not_needed():
    layer = standalone(Conv2d(1, 2), (1, 2, 2))
    layer.needs_input_gradient = False
    layer.forward(np.ones((3, 1, 2, 2)))
    assert layer.backward(np.ones((3, 1, 1, 1))) is None
    np.testing.assert_array_equal(layer.W.grad, [[3, 3, 3, 3]])


def test_what_it_can_not_take():
    with pytest.raises(ShapeError, match=r"Conv2d can't take images of 4 by 6 pixels; expected at least 5 by 5"):
        Conv2d(1, 5, padding=1).build((1, 2, 4))
    with pytest.raises(ShapeError, match=r"put Reshape: \{shape: \[channels, height, width\]\} before it"):
        Conv2d(1, 5).build((784,))
    with pytest.raises(ParameterError, match="stride: 0 is out of range"):
        Conv2d(1, 5, stride=0)
