"""Activations are their formulas, at all sizes of inputs, and read like their textbook page."""

from __future__ import annotations

import inspect
import re
from math import erfc, exp, pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlpkit import Elementwise, ParameterError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.elu import Elu
from mlpkit_plugins.layers.gelu import Gelu
from mlpkit_plugins.layers.leaky_relu import LeakyRelu
from mlpkit_plugins.layers.mish import Mish
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.selu import Selu
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.layers.silu import Silu
from mlpkit_plugins.layers.softplus import Softplus
from mlpkit_plugins.layers.tanh import Tanh

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def mish_slope(x):
    t = np.tanh(np.log1p(np.exp(x)))
    return t + x * (1 - t**2) * sigmoid(x)


FORMULAS = {
    Elu: (lambda x: np.where(x > 0, x, np.exp(x) - 1), lambda x: np.where(x > 0, 1, np.exp(x))),
    Gelu: (
        np.vectorize(lambda v: v * erfc(-v / sqrt(2)) / 2),
        np.vectorize(lambda v: erfc(-v / sqrt(2)) / 2 + v * exp(-v * v / 2) / sqrt(2 * pi)),
    ),
    LeakyRelu: (lambda x: np.where(x > 0, x, 0.01 * x), lambda x: np.where(x > 0, 1, 0.01)),
    Mish: (lambda x: x * np.tanh(np.log1p(np.exp(x))), mish_slope),
    Relu: (lambda x: np.where(x > 0, x, 0), lambda x: np.where(x > 0, 1, 0)),
    Selu: (
        lambda x: SCALE * np.where(x > 0, x, ALPHA * (np.exp(x) - 1)),
        lambda x: SCALE * np.where(x > 0, 1, ALPHA * np.exp(x)),
    ),
    Sigmoid: (sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    Silu: (lambda x: x * sigmoid(x), lambda x: (1 + np.exp(-x) * (1 + x)) / (1 + np.exp(-x)) ** 2),
    Softplus: (lambda x: np.log(1 + np.exp(x)), sigmoid),
    Tanh: (lambda x: np.sinh(x) / np.cosh(x), lambda x: 1 / np.cosh(x) ** 2),
}
"""The value and the slope of each, as its source states them."""
LIMITS = {
    Elu: ([-1, -1, 1000, 1], [0, 0, 1, 1]),
    Gelu: ([-0.0, -0.0, 1000, 1], [0, 0, 1, 1]),
    LeakyRelu: ([-0.01, -10, 1000, 1], [0.01, 0.01, 1, 1]),
    Mish: ([0, 0, 1000, 1], [0, 0, 1, 1]),
    Relu: ([0, 0, 1000, 1], [0, 0, 1, 1]),
    Selu: ([-SCALE * ALPHA, -SCALE * ALPHA, SCALE * 1000, SCALE], [0, 0, SCALE, SCALE]),
    Sigmoid: ([0, 0, 1, 1], [0, 0, 0, 0]),
    Silu: ([-0.0, -0.0, 1000, 1], [0, 0, 1, 1]),
    Softplus: ([0, 0, 1000, 1], [0, 0, 1, 1]),
    Tanh: ([-1, -1, 1, 1], [0, 0, 0, 0]),
}
"""Values and slopes at -m, -1000, 1000 and m, the largest number; those that grow without bound in units of m."""
UNBOUNDED = {Tanh: (), Sigmoid: (), LeakyRelu: (0, 3)}
ACTIVATIONS = [*FORMULAS]
numbers = arrays(np.float32, (3, 4), elements=st.floats(-50, 50, width=32))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_is_two_formulas_and_says_nothing_about_memory(activation):
    assert issubclass(activation, Elementwise)
    source = inspect.getsource(inspect.getmodule(activation))
    assert re.findall(r"\b(buffer|gaps|like|contiguous|forward)\b", source) == []


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_is_the_formula(activation):
    value, slope = FORMULAS[activation]
    x = np.concatenate([np.linspace(-30, 30, 101), [-3.0, -0.5, 0.25, 2.0]])[np.newaxis]
    layer = standalone(activation(), x.shape[1:])
    np.testing.assert_allclose(layer.forward(x), value(x), rtol=5e-14, atol=1e-15)
    np.testing.assert_allclose(layer.backward(np.full_like(x, 2.0)), 2 * slope(x), rtol=5e-14, atol=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_stays_finite_for_inputs_of_any_size(activation, dtype):
    layer = standalone(activation(), (4,), dtype=dtype)
    largest = np.finfo(dtype).max / 2
    values, slopes = (np.array([row], dtype) for row in LIMITS[activation])
    values[0, list(UNBOUNDED.get(activation, (3,)))] *= largest
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = layer.forward(np.array([[-largest, -1000, 1000, largest]], dtype)).copy()
        dx = layer.backward(np.ones((1, 4), dtype))
    rounding = {"rtol": 4 * np.finfo(dtype).eps, "atol": 1e-40}
    np.testing.assert_allclose(y, values, **rounding)
    np.testing.assert_allclose(dx, slopes, **rounding)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_not_a_number_is_not_hidden(activation, dtype):
    layer = standalone(activation(), (2,), dtype=dtype)
    np.testing.assert_array_equal(np.isnan(layer.forward(np.array([[np.nan, 1]], dtype))), [[True, False]])


@settings(max_examples=50)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(x=numbers, dy=numbers)
def test_backward_is_dy_times_the_derivative_to_the_bit(activation, x, dy):
    layer = standalone(activation(), (4,), dtype="float32")
    y = layer.forward(x).copy()
    slope = layer.derivative(x, y, np.empty_like(x))
    np.testing.assert_array_equal(layer.backward(dy.copy()), dy * slope)


@settings(max_examples=50)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(x=numbers)
def test_the_result_is_written_into_what_is_given(activation, x):
    layer, out = activation(), np.empty_like(x)
    y = layer.function(x, out)
    assert y is out
    slope = np.empty_like(x)
    assert layer.derivative(x, y, slope) is slope


@pytest.mark.parametrize("activation", [Softplus, Sigmoid])
def test_small_values_keep_their_digits(activation):
    y = standalone(activation(), (2,)).forward(np.array([[-700.0, -50.0]]))
    np.testing.assert_allclose(y, [[np.exp(-700), np.exp(-50)]], rtol=1e-13)


@pytest.mark.parametrize("activation", [Mish, Tanh, Elu])
def test_values_near_zero_keep_their_digits(activation):
    x = np.array([[-1e-12, -1e-100]])
    scale = {Mish: 0.6}.get(activation, 1)
    np.testing.assert_allclose(standalone(activation(), (2,)).forward(x), scale * x, rtol=1e-11)


def test_alpha_of_elu_scales_what_is_negative():
    layer = standalone(Elu(3.0), (3,))
    np.testing.assert_allclose(layer.forward(np.array([[-1000.0, -1, 2]])), [[-3, 3 * np.expm1(-1), 2]], rtol=1e-15)
    np.testing.assert_allclose(layer.backward(np.ones((1, 3))), [[0, 3 * np.exp(-1), 1]], rtol=1e-15)
    with pytest.raises(ParameterError, match=r"alpha: 0\.0 is out of range"):
        Elu(0.0)


def test_at_zero_the_slope_is_that_of_negative_inputs():
    x = np.array([[0.0, -0.0]])
    for activation, slope in ((LeakyRelu(0.25), 0.25), (Relu(), 0)):
        layer = standalone(activation, (2,))
        np.testing.assert_array_equal(layer.forward(x), [[0, 0]])
        np.testing.assert_array_equal(layer.backward(np.ones((1, 2))), [[slope, slope]])


@pytest.mark.parametrize("slope", [-0.1, 1.1])
def test_the_slope_of_leaky_relu_has_a_range(slope):
    with pytest.raises(ParameterError, match=f"slope: {slope} is out of range"):
        LeakyRelu(slope)


def test_selu_keeps_mean_and_variance():
    y = standalone(Selu(), (1000,)).forward(np.random.default_rng(0).normal(size=(1000, 1000)))
    assert abs(y.mean()) < 0.005
    assert abs(y.var() - 1) < 0.005
