"""The affine layer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import ParameterError, ShapeError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.initializers.normal import Normal
from mlpkit_plugins.layers.affine import Affine

values = st.floats(-10, 10, allow_subnormal=False)


@settings(max_examples=60, deadline=None)
@given(
    x=arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=values),
    units=st.integers(1, 6),
    bias=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_gradients_are_those_of_central_differences(x, units, bias, seed):
    check_gradients(Affine(units, bias=bias), x.shape[1:], x=x, seed=seed)


def test_gradients_of_a_large_layer():
    check_gradients(Affine(50), (200,), rows=100)


def test_is_the_formula():
    layer = standalone(Affine(2), (3,))
    layer.W.value[...] = [[1, 2], [3, 4], [5, 6]]
    layer.b.value[...] = [10, 20]
    y = layer.forward(np.array([[1.0, 0, 2], [0, 1, 0]]))
    np.testing.assert_array_equal(y, [[21, 34], [13, 24]])
    dx = layer.backward(np.array([[1.0, 0], [2, 1]]))
    np.testing.assert_array_equal(dx, [[1, 3, 5], [4, 10, 16]])
    np.testing.assert_array_equal(layer.W.grad, [[1, 0], [2, 1], [2, 0]])
    np.testing.assert_array_equal(layer.b.grad, [3, 1])


def test_declares_weights_that_decay_and_a_bias_that_does_not():
    layer = standalone(Affine(3), (4,))
    assert [(p.path, p.shape, p.decay) for p in layer.declared_parameters()] == [
        ("Affine1.W", (4, 3), True),
        ("Affine1.b", (3,), False),
    ]
    assert (layer.b.value == 0).all()
    bare = standalone(Affine(3, bias=False), (4,))
    assert [p.path for p in bare.declared_parameters()] == ["Affine1.W"]
    assert bare.flops((4,)) == 6 * 12


def test_weights_come_from_the_initializer_by_default_he_normal():
    wide = standalone(Affine(400), (500,)).W.value
    assert wide.std() == pytest.approx((2 / 500) ** 0.5, rel=0.01)
    narrow = standalone(Affine(400, weights=Normal(std=0.01)), (500,)).W.value
    assert narrow.std() == pytest.approx(0.01, rel=0.01)


def test_biases_come_from_the_initializer_with_the_fans_of_the_weights():
    biases = standalone(Affine(400, biases="fan_in_uniform"), (100,)).b.value
    assert 0.095 < np.abs(biases).max() <= 0.1


def test_ntk_parametrization_scales_the_products_and_not_the_weights():
    layer, plain = standalone(Affine(300, ntk=True), (400,)), standalone(Affine(300), (400,))
    assert layer.W.value.std() == pytest.approx(2**0.5, rel=0.01)
    plain.W.value[...] = layer.W.value / 20
    x, dy = np.random.default_rng(0).normal(size=(8, 400)), np.random.default_rng(1).normal(size=(8, 300))
    np.testing.assert_allclose(layer.forward(x), plain.forward(x))
    np.testing.assert_allclose(layer.backward(dy.copy()), plain.backward(dy.copy()))
    np.testing.assert_allclose(layer.W.grad, plain.W.grad / 20)
    np.testing.assert_allclose(layer.b.grad, plain.b.grad)


def test_there_is_no_input_gradient_if_it_is_not_needed():
    layer = standalone(Affine(3), (4,))
    layer.needs_input_gradient = False
    layer.forward(np.ones((2, 4)))
    assert layer.backward(np.ones((2, 3))) is None
    assert (layer.W.grad == 2).all()


def test_what_it_can_not_take():
    with pytest.raises(ShapeError, match=r"Affine can't take inputs of shape \(2, 3\).*put Flatten before it"):
        Affine(3).build((2, 3))
    with pytest.raises(ParameterError, match="units: 0 is out of range"):
        Affine(0)
