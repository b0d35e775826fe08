"""Within a row order, kernels give a row the same bits wherever it lies; outside of it, exp is NumPy's."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_products import AMX_MULTIPLICATIONS, AMX_SIDE
from memory_layouts import arrays, bits, outputs, twin
from requirements import require

from mlpkit_plugins import kernels
from mlpkit_plugins.kernels import row_order, with_numpy

require("kernels", kernels.PRODUCTS_BY != "NumPy", "NumPy computes, in orders of its own")

FUNCTIONS = ["exp", "rectify"]
WAVES = ["cos", "sin"]
"""Functions that have these bits outside of a row order, too."""


def normal(*shape):
    return np.random.default_rng(0).normal(0, 3, shape).astype(np.float32)


@pytest.mark.parametrize("name", FUNCTIONS + WAVES)
@given(data=st.data(), rows=st.integers(1, 70), columns=st.integers(1, 70))
@settings(deadline=None, max_examples=60)
def test_an_element_has_the_same_bits_in_arrays_of_any_layout(name, data, rows, columns):
    function = getattr(kernels, name)
    x, out = data.draw(arrays((rows, columns), np.float32)), data.draw(outputs((rows, columns), np.float32))
    with row_order():
        expected = function(np.array(x, np.float32, order="C"), np.empty((rows, columns), np.float32))
        assert function(x, out) is out
        np.testing.assert_array_equal(bits(out), bits(expected))
        last = np.array(x[-1, -1:], np.float32)
        np.testing.assert_array_equal(bits(function(last, last)), bits(expected[-1, -1:]))


@pytest.mark.parametrize("name", [*FUNCTIONS, "softmax"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outside_of_a_row_order_numpy_computes(name, dtype):
    x = normal(50, 31).astype(dtype)
    expected = getattr(with_numpy, name)(x, np.empty_like(x))
    np.testing.assert_array_equal(getattr(kernels, name)(x, np.empty_like(x)), expected)
    if dtype == np.float64:
        with row_order():
            np.testing.assert_array_equal(getattr(kernels, name)(x, np.empty_like(x)), expected)


@pytest.mark.parametrize("name", WAVES)
def test_waves_have_the_same_bits_outside_of_a_row_order(name):
    x = normal(50, 31)
    outside = getattr(kernels, name)(x, np.empty_like(x))
    with row_order():
        np.testing.assert_array_equal(outside, getattr(kernels, name)(x, np.empty_like(x)))
    exact = getattr(np, name)(x.astype(float))
    np.testing.assert_allclose(outside, exact, atol=2**-23, rtol=0)
    wide = x.astype(float)
    np.testing.assert_array_equal(getattr(kernels, name)(wide, np.empty_like(wide)), exact)


@pytest.mark.parametrize("name", WAVES)
@pytest.mark.parametrize("place", [0, 30, 69])
def test_one_large_angle_anywhere_in_a_row_is_as_exact_as_the_others(name, place):
    x = normal(2, 70)
    x[0, place] = 3e7
    exact = getattr(np, name)(x.astype(float))
    np.testing.assert_allclose(getattr(kernels, name)(x, np.empty_like(x)), exact, atol=2**-23, rtol=0)


@given(data=st.data(), rows=st.integers(1, 70), classes=st.integers(1, 70))
@settings(deadline=None, max_examples=60)
def test_a_row_of_softmax_has_the_same_bits_in_arrays_of_any_layout(data, rows, classes):
    x, out = data.draw(arrays((rows, classes), np.float32)), data.draw(outputs((rows, classes), np.float32))
    native = np.array(x, np.float32, order="C")
    with row_order():
        expected = kernels.softmax(native, np.empty_like(native))
        assert kernels.softmax(x, out) is out
        np.testing.assert_array_equal(bits(out), bits(expected))
        last = native[-1:].copy()
        np.testing.assert_array_equal(bits(kernels.softmax(last, last)), bits(expected[-1:]))


@pytest.mark.parametrize("rows", [1, 40])
def test_softmax_is_added_up_from_the_first_class_to_the_last(rows):
    x = normal(rows, 23)
    with row_order():
        e = kernels.exp(x - x.max(axis=1, keepdims=True), np.empty_like(x))
        total = np.zeros(rows, np.float32)
        for of_class in e.T:
            total = total + of_class
        np.testing.assert_array_equal(kernels.softmax(x, np.empty_like(x)), e / total[:, np.newaxis])


@pytest.mark.parametrize("rows", [1, 40])
def test_a_logit_that_is_no_number_or_infinite_makes_its_whole_row_nan(rows):
    x = np.tile(normal(1, 5), (rows, 1))
    for place, number in [(0, np.nan), (3, np.nan), (4, np.inf)]:
        wrong = x.copy()
        wrong[-1, place] = number
        with row_order():
            y = kernels.softmax(wrong, np.empty_like(x))
        assert np.isnan(y).all(axis=1).tolist() == [False] * (rows - 1) + [True]


@given(data=st.data(), shape=st.tuples(*[st.integers(1, 40)] * 3))
@settings(deadline=None, max_examples=100)
def test_a_row_of_a_product_has_the_same_bits_in_arrays_of_any_layout(data, shape):
    rows, inner, columns = shape
    a, b = data.draw(arrays((rows, inner), np.float32)), data.draw(arrays((inner, columns), np.float32))
    row, out = data.draw(arrays((columns,), np.float32)), data.draw(outputs((rows, columns), np.float32))
    contiguous = [np.array(array, np.float32, order="C") for array in (a, b, row)]
    with row_order():
        expected = kernels.product_plus_row(*contiguous, np.empty((rows, columns), np.float32))
        assert kernels.product_plus_row(a, b, row, out) is out
        np.testing.assert_array_equal(bits(out), bits(expected))
        last = kernels.product(contiguous[0][-1:], contiguous[1], np.empty((1, columns), np.float32))
        np.testing.assert_array_equal(bits(last[0]), bits(kernels.product(a, b, twin(out))[-1]))


@pytest.mark.parametrize("shape", [(AMX_SIDE, AMX_MULTIPLICATIONS // AMX_SIDE // 200, 200), (1000, 1200, 500)])
def test_a_row_of_a_large_product_has_the_same_bits_alone(shape):
    rows, inner, columns = shape
    a, b = normal(rows, inner), normal(inner, columns)
    with row_order():
        whole = kernels.product(a, b, np.empty((rows, columns), np.float32))
        for i in (0, 17, rows - 1):
            alone = kernels.product(a[i : i + 1], b, np.empty((1, columns), np.float32))
            np.testing.assert_array_equal(bits(whole[i]), bits(alone[0]))


def test_a_row_order_is_that_of_its_thread_and_ends_with_the_outermost_block():
    x = normal(1000)
    own, numpys = (np.empty_like(x) for _ in range(2))
    with row_order():
        with row_order():
            kernels.exp(x, own)
        inner = kernels.exp(x, np.empty_like(x))
        other = Thread(target=kernels.exp, args=(x, numpys))
        other.start()
        other.join()
    np.testing.assert_array_equal(inner, own)
    np.testing.assert_array_equal(numpys, with_numpy.exp(x, np.empty_like(x)))
    assert (own != numpys).any()
    np.testing.assert_array_equal(kernels.exp(x, np.empty_like(x)), numpys)
