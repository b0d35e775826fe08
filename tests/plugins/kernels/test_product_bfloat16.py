"""Matrix products whose factors are rounded to bfloat16: the NumPy form says what they are, and sums have one order."""

from __future__ import annotations

import math
import platform
import struct
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_products import (
    FACTORS,
    SHAPES,
    kernel_threads,
    parameters_of_run,
    printed_by,
    summed_by_blocks,
    with_gap,
)
from memory_layouts import arrays, outputs, twin

from mlpkit.network.subnormals import flushed_subnormals
from mlpkit_plugins import kernels
from mlpkit_plugins.kernels import bfloat16_products, row_order, with_numpy

by_vectors = pytest.mark.skipif(
    kernels.PRODUCTS_BY != "compiled kernels", reason="products by AMX or BLAS have orders of their own"
)
numbers = st.floats(width=32)


def nearest_bfloat16(number):
    """Return the bfloat16 that a float32 is rounded to, found among its neighbours with exact arithmetic."""
    if math.isnan(number) or math.isinf(number):
        return number
    if abs(number) < 2.0**-126:
        return math.copysign(0.0, number)
    unit = 2.0 ** (math.frexp(number)[1] - 8)  # of the last of eight bits
    rounded = round(number / unit) * unit  # Python rounds half to even; all else is exact
    return math.copysign(math.inf, number) if abs(rounded) >= 2.0**128 else rounded


@given(
    number=numbers | st.integers(0, 2**16 - 1).map(lambda upper: struct.unpack("f", struct.pack("I", upper << 16))[0])
)
@settings(max_examples=300)
def test_a_number_is_rounded_to_the_nearest_one_of_bfloat16(number):
    halfway = np.array([number], np.float32).view(np.uint32) | np.uint32(0x8000)
    for x in (np.array([number], np.float32), halfway.view(np.float32)):
        with np.errstate(all="ignore"):
            rounded = with_numpy.to_bfloat16(x)
        expected = np.array([nearest_bfloat16(float(x[0]))])
        np.testing.assert_array_equal(rounded, expected)
        assert np.signbit(rounded) == np.signbit(expected) or np.isnan(x)


def rounded_product(a, b, row=None, *, threads=1, out=None):
    out = np.full((len(a), b.shape[1]), np.nan, np.float32) if out is None else out
    with kernel_threads(threads), bfloat16_products(), flushed_subnormals():
        return kernels.product(a, b, out) if row is None else kernels.product_plus_row(a, b, row, out)


def random_factors(seed, rows, inner, columns):
    generator = np.random.default_rng(seed)
    a, b = (generator.standard_normal(shape, np.float32) for shape in [(rows, inner), (inner, columns)])
    return a, b, generator.standard_normal(columns, np.float32)


@by_vectors
@given(shape=SHAPES, dark=st.sampled_from([0, 0.5, 0.9]), **FACTORS)
@settings(deadline=None, max_examples=200)
def test_rounded_factors_are_added_up_in_the_order_of_other_products(shape, transposed, gaps, threads, dark, seed):
    a, b, row = random_factors(seed, *shape)
    a[:, np.random.default_rng(seed).random(shape[1]) < dark] = 0
    expected = summed_by_blocks(with_numpy.to_bfloat16(a), with_numpy.to_bfloat16(b))
    a, b = with_gap(a, transposed[0], gaps[0]), with_gap(b, transposed[1], gaps[1])
    for added, wanted in [(None, expected), (row, expected + row)]:
        room = np.full((shape[0], shape[2] + gaps[2]), np.nan, np.float32)
        y = rounded_product(a, b, added, threads=threads, out=room[:, : shape[2]])
        np.testing.assert_array_equal(y, wanted)
        assert np.isnan(room[:, shape[2] :]).all()


@by_vectors
@pytest.mark.parametrize("transposed", [False, True])
def test_a_step_at_which_one_row_is_not_zero_is_not_left_out(transposed):
    a, b, _ = random_factors(0, 40, 400, 48)
    a[np.arange(40)[:, np.newaxis] != np.arange(400) // 2 % 40] = 0
    expected = summed_by_blocks(with_numpy.to_bfloat16(a), with_numpy.to_bfloat16(b))
    np.testing.assert_array_equal(rounded_product(with_gap(a, transposed, 0), b), expected)


@pytest.mark.parametrize("shape", [(32, 784, 50), (256, 1000, 300), (600, 700, 1300)])
def test_a_product_is_that_of_rounded_factors_to_rounding_and_no_other(shape):
    a, b, row = random_factors(0, *shape)
    exact = with_numpy.to_bfloat16(a).astype(float) @ with_numpy.to_bfloat16(b).astype(float) + row
    bound = shape[1] * np.finfo(np.float32).eps * (np.abs(a).astype(float) @ np.abs(b).astype(float) + np.abs(row))
    assert (np.abs(rounded_product(a, b, row, threads=2) - exact) <= bound).all()
    assert np.abs(a.astype(float) @ b.astype(float) + row - exact).max() > 1e-3


@given(data=st.data(), shape=st.tuples(*[st.integers(1, 70)] * 3))
@settings(deadline=None, max_examples=150)
def test_a_product_of_any_arrays_is_that_of_the_numpy_form_to_rounding(data, shape):
    rows, inner, columns = shape
    special = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-40, 3.4e38]
    a = data.draw(arrays((rows, inner), np.float32, special=special))
    b = data.draw(arrays((inner, columns), np.float32, special=special))
    out = data.draw(outputs((rows, columns), np.float32))
    with np.errstate(all="ignore"):
        wide = with_numpy.to_bfloat16(a), with_numpy.to_bfloat16(b)
        expected = np.matmul(*wide)
        scale = np.abs(wide[0]).astype(float) @ np.abs(wide[1]).astype(float)
        result = rounded_product(a, b, out=out)
    assert result is out
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(result[~finite], expected[~finite])
    bound = 2 * inner * np.finfo(np.float32).eps * scale[finite] + 1e-30
    assert (np.abs(result[finite] - expected[finite]) <= bound).all()


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan, 3.4e38])
@pytest.mark.parametrize("k", [0, 151, 299])
def test_zero_times_what_is_not_finite_once_rounded_is_nan_even_if_all_rows_are_zero_there(number, k):
    a, b = np.zeros((64, 300), np.float32), np.ones((300, 40), np.float32)
    b[k, 7] = number
    with np.errstate(all="ignore"):
        y = rounded_product(a, b)
    assert np.isnan(y[:, 7]).all()
    assert not np.delete(y, 7, axis=1).any()


def test_an_output_may_overlap_an_input():
    memory = np.random.default_rng(0).standard_normal(3000, np.float32)
    a, b = memory[:400].reshape(20, 20), memory[500:1300].reshape(20, 40)
    expected = rounded_product(a.copy(), b.copy())
    np.testing.assert_array_equal(rounded_product(a, b, out=memory[300:1100].reshape(20, 40)), expected)


def test_what_is_no_product_of_two_matrices_of_float32_is_computed_as_ever():
    a, b, row = random_factors(0, 40, 50, 60)
    vector, wide = (kernels.product(a[0], b, twin(row)), a.astype(float) @ b.astype(float))
    with bfloat16_products():
        np.testing.assert_array_equal(kernels.product(a[0], b, twin(row)), vector)
        np.testing.assert_array_equal(kernels.product(a.astype(float), b.astype(float), np.empty((40, 60))), wide)


def test_rounding_is_that_of_its_thread_ends_with_the_outermost_block_and_yields_to_a_row_order():
    a, b, _ = random_factors(0, 40, 50, 60)
    usual = kernels.product(a, b, np.empty((40, 60), np.float32))
    found = []

    def compute():
        found.append(kernels.product(a, b, np.empty((40, 60), np.float32)))

    with bfloat16_products():
        with bfloat16_products():
            compute()
        compute()
        with row_order():
            compute()
        other = Thread(target=compute)
        other.start()
        other.join()
    compute()
    for product, rounds in zip(found, [True, True, False, False, False], strict=True):
        assert (product == usual).all() == (not rounds)


BITS = """
import hashlib
import numpy as np
from matrix_products import kernel_threads
from mlpkit.network.subnormals import flushed_subnormals
from mlpkit_plugins import kernels

bits = hashlib.sha256()
generator = np.random.default_rng(0)
for rows, inner, columns in [(32, 784, 50), (784, 1000, 50), (500, 784, 300), (1000, 900, 800), (1, 900, 1500)]:
    a = generator.standard_normal((rows, inner)).astype(np.float32)
    b = generator.standard_normal((inner, columns)).astype(np.float32)
    a[0, 3], b[5, 0] = 1.1e-38, 1e-39
    for left in (a, np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2]):
        for right in (b, np.asfortranarray(b)):
            for threads in (1, 2, 3):
                with kernel_threads(threads), kernels.bfloat16_products(), flushed_subnormals():
                    bits.update(kernels.product(left, right, np.empty((rows, columns), np.float32)).tobytes())
print(bits.hexdigest(), kernels.PRODUCTS_BY)
"""


@by_vectors
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have one set of instructions")
def test_a_processor_without_instructions_for_bfloat16_computes_the_same_bits():
    assert printed_by(BITS, "avx2") == printed_by(BITS, "avx512")


ROUNDED = "training.precision=bfloat16"


@by_vectors
def test_a_run_has_the_same_bits_on_any_number_of_threads_and_with_narrower_vectors(tmp_path):
    one = parameters_of_run(tmp_path / "one", "", ROUNDED, "training.threads=1")
    assert parameters_of_run(tmp_path / "three", "", ROUNDED, "training.threads=3") == one
    assert parameters_of_run(tmp_path / "narrow", "avx2", ROUNDED, "training.threads=1") == one
    assert parameters_of_run(tmp_path / "usual", "", "training.threads=1") != one


def test_without_compiled_kernels_a_run_rounds_too(tmp_path):
    rounded = parameters_of_run(tmp_path / "rounded", "numpy", ROUNDED)
    usual = parameters_of_run(tmp_path / "usual", "numpy")
    compiled = parameters_of_run(tmp_path / "compiled", "", ROUNDED)

    def distance(one, other):
        pairs = [(np.frombuffer(one[name], np.float32), np.frombuffer(other[name], np.float32)) for name in one]
        return max(np.abs(x - y).max() for x, y in pairs)

    assert distance(rounded, compiled) < 0.25 * distance(rounded, usual)  # BLAS adds up in orders of its own
