"""Layers that are two formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from mlpkit import Elementwise, ParameterError
from mlpkit.testing import check_gradients, standalone


class Square(Elementwise):
    """y = x², in the fast style."""

    def function(self, x, out):
        return np.multiply(x, x, out=out)

    def derivative(self, x, y, out):
        return np.multiply(x, 2, out=out)


class PlainSquare(Elementwise):
    """y = x², with new arrays."""

    def function(self, x, out):
        return x**2

    def derivative(self, x, y, out):
        return 2 * x


class Exponential(Elementwise):
    """y = exp(rate x), whose derivative is made of y."""

    def __init__(self, rate: float = 1.0):
        self.rate = rate

    def function(self, x, out):
        return np.exp(self.rate * x)

    def derivative(self, x, y, out):
        return self.rate * y


class Double(Elementwise):
    """y = 2x, whose derivative is a number."""

    def function(self, x, out):
        return x + x

    def derivative(self, x, y, out):
        return 2


class Positive(Elementwise):
    """y = max(x, 0), whose derivative is true or false."""

    def function(self, x, out):
        return np.maximum(x, 0)

    def derivative(self, x, y, out):
        return x > 0


@pytest.mark.parametrize("layer", [Square, PlainSquare, Exponential, Double, Positive])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_formulas_make_a_layer(layer, dtype):
    check_gradients(layer(), input_shape=(3, 2))
    ready, x = standalone(layer(), (3, 2), dtype=dtype), np.arange(-6, 6, dtype=dtype).reshape(2, 3, 2)
    dy = np.full_like(x, 3)
    y = ready.forward(x)
    dx = ready.backward(dy)
    assert (y.shape, y.dtype) == (dx.shape, dx.dtype) == (x.shape, x.dtype)
    assert dx is dy


@given(shape=array_shapes(min_side=0, min_dims=2), seed=st.integers(0, 99))
def test_the_plain_style_gives_the_same_bits(shape, seed):
    x, dy = np.random.default_rng(seed).normal(size=(2, *shape))
    results = []
    for layer in (Square(), PlainSquare()):
        layer.dtype = x.dtype
        results.append((layer.forward(x).tobytes(), layer.backward(dy.copy()).tobytes()))
    assert results[0] == results[1]


def test_what_is_written_into_is_the_same_memory_at_each_call():
    layer = standalone(Square(), (3,))
    first, again = layer.forward(np.ones((2, 3))), layer.forward(np.zeros((2, 3)))
    assert np.shares_memory(first, again)
    assert layer.y is again


def test_memory_is_laid_out_like_the_inputs():
    x = np.asfortranarray(np.ones((4, 3)))
    assert standalone(Square(), (3,)).forward(x).strides == x.strides


def test_a_constructor_is_checked_as_that_of_any_layer():
    y = standalone(Exponential(2.0), (1,)).forward(np.ones((1, 1)))
    assert y[0, 0] == pytest.approx(math.exp(2), rel=1e-15)
    with pytest.raises(ParameterError, match="rate: 'fast' is not a number"):
        Exponential("fast")


@pytest.mark.parametrize("missing", ["function", "derivative"])
def test_both_formulas_must_be_written(missing):
    with pytest.raises(TypeError, match=missing):
        type("Half", (Square,), {missing: getattr(Elementwise, missing)})()
