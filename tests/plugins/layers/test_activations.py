"""Activations read like their textbook page: two formulas, and nothing about memory."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlpkit import Elementwise
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

ACTIVATIONS = [Elu, Gelu, LeakyRelu, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Tanh]
numbers = arrays(np.float32, (3, 4), elements=st.floats(-50, 50, width=32))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_is_two_formulas_and_says_nothing_about_memory(activation):
    assert issubclass(activation, Elementwise)
    source = inspect.getsource(inspect.getmodule(activation))
    assert re.findall(r"\b(buffer|gaps|like|contiguous|forward)\b", source) == []


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
