"""Layer normalization."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import ParameterError, ShapeError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.layer_norm import LayerNorm


@settings(max_examples=60, deadline=None)
@given(
    arrays.array_shapes(min_dims=2, max_dims=4, max_side=4).filter(lambda shape: prod(shape[1:]) > 1),
    st.integers(0, 2**32),
)
def test_gradients_are_those_of_central_differences(shape, seed):
    x = np.random.default_rng(seed).normal(size=shape)
    check_gradients(LayerNorm(epsilon=0.1), shape[1:], x=x, seed=seed)


def test_is_the_formula():
    layer = standalone(LayerNorm(epsilon=0.25), (4,))
    layer.gamma.value[...] = [1, 2, 3, 4]
    layer.beta.value[...] = [10, 20, 30, 40]
    y = layer.forward(np.array([[1.0, 3, 1, 3]]))  # mean 2, variance 1
    np.testing.assert_allclose(y, np.array([[-1, 2, -3, 4]]) / np.sqrt(1.25) + [[10, 20, 30, 40]], rtol=1e-15)
    layer.backward(np.array([[1.0, 1, 2, 2]]))
    np.testing.assert_allclose(layer.gamma.grad, np.array([-1, 1, -2, 2]) / np.sqrt(1.25), rtol=1e-15)
    np.testing.assert_array_equal(layer.beta.grad, [1, 1, 2, 2])


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, (3, 6), elements=st.floats(-1e3, 1e3)))
def test_every_example_gets_mean_0_and_variance_up_to_1(x):
    y = standalone(LayerNorm(), (6,)).forward(x)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-9)
    variance = x.var(axis=1)
    np.testing.assert_allclose(y.var(axis=1), variance / (variance + 1e-5), atol=1e-6)


def test_equal_features_are_no_trouble(dtype):
    layer = standalone(LayerNorm(), (4,), dtype=dtype)
    np.testing.assert_array_equal(layer.forward(np.full((2, 4), 1e6, dtype)), 0)
    assert np.isfinite(layer.backward(np.arange(8, dtype=dtype).reshape(2, 4))).all()


def test_declares_a_scale_and_a_shift_that_never_decay():
    layer = standalone(LayerNorm(), (2, 3))
    assert [(p.path, p.shape, p.decay) for p in layer.declared_parameters()] == [
        ("LayerNorm1.gamma", (2, 3), False),
        ("LayerNorm1.beta", (2, 3), False),
    ]
    assert (layer.gamma.value == 1).all()
    assert (layer.beta.value == 0).all()
    with pytest.raises(ParameterError, match=r"epsilon: 0\.0 is out of range"):
        LayerNorm(0.0)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_feature_alone_is_refused(shape):
    with pytest.raises(ShapeError) as caught:
        LayerNorm().build(shape)
    assert str(caught.value) == (
        f"LayerNorm can't take inputs of shape {shape}: a single feature has no variance; "
        "expected a shape of two features or more; "
        "leave the layer out, put it after a layer with more outputs, or use BatchNorm"
    )
