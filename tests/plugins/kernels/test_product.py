"""Matrix products of float32: right, and the same bits however they are shared out and on whatever processor."""

from __future__ import annotations

import platform
import sys
import time

import numpy as np
import pytest
from guarded_memory import guarded
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_products import (
    AMX_MULTIPLICATIONS,
    AMX_SIDE,
    FACTORS,
    LENGTHS,
    SHAPES,
    kernel_threads,
    parameters_of_run,
    printed_by,
    summed_by_blocks,
    twelve_bits,
    with_gap,
)
from memory_layouts import arrays, outputs, twin
from requirements import require, require_module

from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")
require("kernels", compiled.PRODUCTS_BY != "NumPy", "the processor has no tiles")

SHARED = not compiled.PRODUCTS_BY.endswith("BLAS")
LARGEST = 500_000_000  # multiplications up to which a product is computed here
LARGEST_ALONE = 1_000_000  # the same, if BLAS has its own threads
by_blas = pytest.mark.skipif(not SHARED, reason="BLAS computes large products, on threads of its own")
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have one set of instructions")

shapes = SHAPES
if not SHARED:
    shapes = shapes.filter(lambda shape: np.prod(shape) <= LARGEST_ALONE)
if compiled.PRODUCTS_BY.endswith("AMX"):
    shapes = shapes.filter(lambda shape: np.prod(shape) < AMX_MULTIPLICATIONS or min(shape) < AMX_SIDE)


def darkened(generator, a, share):
    """Return a copy in which that share of the patches, 8 rows or columns wide, is zero or minus zero."""
    patches = generator.random([-(-length // 8) for length in a.shape]) < share
    is_dark = np.kron(patches, np.ones((8, 8), bool))[: len(a), : a.shape[1]]
    return np.where(is_dark, np.copysign(np.float32(0), a), a)


@given(shape=shapes, dark=st.sampled_from([0, 0.7, 1]), **FACTORS)
@settings(deadline=None, max_examples=200)
def test_a_product_is_added_up_as_it_is_said_to_be(shape, transposed, gaps, threads, dark, seed):
    rows, inner, columns = shape
    generator = np.random.default_rng(seed)
    a, b = darkened(generator, twelve_bits(generator, rows, inner), dark), twelve_bits(generator, inner, columns)
    row = twelve_bits(generator, columns)
    expected = summed_by_blocks(a, b)
    a, b = with_gap(a, transposed[0], gaps[0]), with_gap(b, transposed[1], gaps[1])
    for call, wanted in [
        (lambda out: compiled.product(a, b, out), expected),
        (lambda out: compiled.product_plus_row(a, b, row, out), expected + row),
    ]:
        room = np.full((rows, columns + gaps[2]), np.nan, np.float32)
        out = room[:, :columns]
        with kernel_threads(threads):
            assert call(out) is out
        np.testing.assert_array_equal(out, wanted)
        assert np.isnan(room[:, columns:]).all()


@by_blas
@pytest.mark.parametrize("kernels", ["", pytest.param("avx2", marks=on_x86)])
def test_every_path_adds_up_as_it_is_said_to_within_its_arrays(kernels):
    assert printed_by("import product_paths; product_paths.check_all(); print('right')", kernels) == "right\n"


@pytest.mark.parametrize(
    "shape", [(32, 784, 50), (784, 1000, 50), (300, 400, 500), (1, 1000, 1500), (1000, 10, 256), (10, 2000, 16)]
)
def test_a_product_is_as_near_to_the_exact_one_as_its_roundings_allow(shape):
    rows, inner, columns = shape
    generator = np.random.default_rng(0)
    a = generator.standard_normal((rows, inner)).astype(np.float32)
    b = generator.standard_normal((inner, columns)).astype(np.float32)
    exact = a.astype(float) @ b.astype(float)
    bound = inner * np.finfo(np.float32).eps * (np.abs(a.astype(float)) @ np.abs(b.astype(float)))
    assert (np.abs(compiled.product(a, b, np.empty((rows, columns), np.float32)) - exact) <= bound).all()


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(("k", "column"), [(0, 39), (150, 7), (299, 0), (299, 39)])
@pytest.mark.parametrize("transposed", [False, True])
def test_zero_times_what_is_not_finite_is_nan_even_if_all_rows_are_zero_there(number, k, column, transposed):
    a, b = np.zeros((64, 300), np.float32), np.ones((300, 40), np.float32)
    b[k, column] = number
    y = compiled.product(a, with_gap(b, transposed, 0), np.empty((64, 40), np.float32))
    assert np.isnan(y[:, column]).all()
    assert not np.delete(y, column, axis=1).any()


@by_blas
@pytest.mark.parametrize("inner", [1, 300])
@pytest.mark.parametrize(("rows", "columns"), [(1, 20), (1, 2100), (20, 20), (64, 100)])
def test_a_sum_that_is_rounded_to_minus_zero_becomes_zero(rows, inner, columns):
    a, b = np.full((rows, inner), -1e-30, np.float32), np.full((inner, columns), 1e-30, np.float32)
    y = np.full((rows, columns), np.nan, np.float32)
    for call in (compiled.product, lambda a, b, y: compiled.product_plus_row(a, b, np.full(columns, -0.0, "f4"), y)):
        assert not call(a, b, y).view(np.int32).any()


@by_blas
@pytest.mark.parametrize("axis", [0, 1])
def test_images_with_a_dark_border_take_less_time(axis):
    light = np.ones((784, 784), np.float32)
    border = light.copy()
    np.moveaxis(border, axis, 0)[:250] = 0
    np.moveaxis(border, axis, 0)[-250:] = 0
    weights, y = np.ones((784, 64), np.float32), np.empty((784, 64), np.float32)

    def seconds(a):
        began = time.perf_counter()
        compiled.product(a, weights, y)
        return time.perf_counter() - began

    with kernel_threads(1):
        pairs = [(seconds(border), seconds(light)) for _ in range(50)]
    least_border, least_light = (min(times) for times in zip(*pairs, strict=True))
    assert least_border < 0.8 * least_light


@by_blas
@pytest.mark.parametrize("dark", [0, 500])
def test_a_large_product_is_left_to_blas_unless_many_steps_can_be_left_out(dark):
    generator = np.random.default_rng(0)
    a = generator.standard_normal((7000, 784), np.float32)
    a[:, :dark] = 0
    b = generator.standard_normal((784, 100), np.float32)  # too narrow for AMX
    assert a.size * b.shape[1] > LARGEST
    y, here = np.empty((2, 7000, 100), np.float32)
    compiled.product(a, b, y)
    for half in (slice(3500), slice(3500, None)):  # each is small enough
        compiled.product(a[half], b, here[half])
    assert (y == here).all() == bool(dark)


@given(shape=shapes, seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_a_row_has_the_same_bits_alone_and_among_others(shape, seed):
    rows, inner, columns = shape
    generator = np.random.default_rng(seed)
    a = generator.standard_normal((rows, inner)).astype(np.float32)
    b = generator.standard_normal((inner, columns)).astype(np.float32)
    whole = compiled.product(a, b, np.empty((rows, columns), np.float32))
    alone = compiled.product(a[-1:], b, np.empty((1, columns), np.float32))
    vector = compiled.product(a[-1], b, np.empty(columns, np.float32))
    np.testing.assert_array_equal(alone[0], whole[-1])
    np.testing.assert_array_equal(vector, whole[-1])


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("columns", [49, 4095, 4096, 4097, 8200])
def test_a_single_row_of_many_columns_has_the_bits_that_it_has_among_others(columns, transposed):
    generator = np.random.default_rng(columns)
    a, row = generator.standard_normal((2, 59)).astype(np.float32), generator.standard_normal(columns, np.float32)
    b = with_gap(generator.standard_normal((59, columns), np.float32), transposed, gap=1)
    room = np.full(columns + 20, np.nan, np.float32)
    alone = compiled.product_plus_row(a[1:], b, row, room[np.newaxis, :columns])
    np.testing.assert_array_equal(alone[0], compiled.product_plus_row(a, b, row, np.empty((2, columns), np.float32))[1])
    assert np.isnan(room[columns:]).all()


@pytest.mark.parametrize("columns", [50, 2001, 4097])
@pytest.mark.parametrize("rows", [1, 2, 50])
def test_memory_behind_the_factors_is_never_read(rows, columns):
    generator = np.random.default_rng(columns)
    a, b, row = (twelve_bits(generator, *shape) for shape in [(rows, 200), (200, columns), (columns,)])
    expected = compiled.product_plus_row(a, b, row, np.empty((rows, columns), np.float32))
    y = guarded(np.empty((rows, columns), np.float32))
    with kernel_threads(2):
        compiled.product_plus_row(guarded(a), guarded(b), guarded(row), y)
    np.testing.assert_array_equal(y, expected)


@by_blas
@pytest.mark.parametrize("columns", [100, 2047, 2100, 4200])
@pytest.mark.parametrize("inner", [256, 600, 1024, 2407])
def test_a_single_row_is_added_up_as_it_is_said_to_be_on_any_number_of_threads(inner, columns):
    generator = np.random.default_rng(inner + columns)
    a, b, row = (twelve_bits(generator, *shape) for shape in [(1, inner), (inner, columns), (columns,)])
    expected = summed_by_blocks(a, b) + row
    for threads in (1, 2, 3):
        with kernel_threads(threads):
            y = compiled.product_plus_row(a, b, row, np.full((1, columns), np.nan, np.float32))
        np.testing.assert_array_equal(y, expected)


@by_blas
@pytest.mark.parametrize("share", [0.5, 0.75, 0.9])
@pytest.mark.parametrize("transposed", [False, True])
def test_zeros_that_stand_alone_change_no_bit(share, transposed):
    rows, inner, columns = 101, 300, 150
    generator = np.random.default_rng(0)
    a, b = twelve_bits(generator, rows, inner), twelve_bits(generator, inner, columns)
    a[generator.random(a.shape) < share] = 0
    for threads in (1, 2):
        with kernel_threads(threads):
            y = compiled.product(with_gap(a, transposed, 0), b, np.empty((rows, columns), np.float32))
        np.testing.assert_array_equal(y, summed_by_blocks(a, b))


@by_blas
@pytest.mark.skipif(platform.machine() != "x86_64", reason="on ARM, times are those of an emulator")
@pytest.mark.parametrize("transposed", [False, True])
def test_zeros_that_stand_alone_take_less_time(transposed):
    generator = np.random.default_rng(0)
    full = generator.standard_normal((120, 300), np.float32)  # AMX, which skips nothing, computes larger ones
    sparse = np.where(generator.random(full.shape) < 0.8, np.float32(0), full)
    full, sparse = (with_gap(a, transposed, 0) for a in (full, sparse))
    weights, y = generator.standard_normal((300, 480), np.float32), np.empty((120, 480), np.float32)

    def seconds(a):
        began = time.perf_counter()
        compiled.product(a, weights, y)
        return time.perf_counter() - began

    with kernel_threads(1):
        pairs = [(seconds(sparse), seconds(full)) for _ in range(50)]
    least_sparse, least_full = (min(times) for times in zip(*pairs, strict=True))
    assert least_sparse < 0.85 * least_full


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_a_product_of_any_arrays_is_numpys_to_rounding(data):
    rows, inner, columns = (data.draw(LENGTHS) for _ in range(3))
    special = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-40]
    a = data.draw(arrays((rows, inner), np.float32, special=special))
    b = data.draw(arrays((inner, columns), np.float32, special=special))
    row = data.draw(arrays((columns,), np.float32, special=special))
    out = data.draw(outputs((rows, columns), np.float32))
    for name, arguments in (("product", (a, b)), ("product_plus_row", (a, b, row))):
        with np.errstate(all="ignore"):
            expected = getattr(with_numpy, name)(*arguments, twin(out))
            scale = np.abs(a).astype(float) @ np.abs(b).astype(float) + sum(map(np.abs, arguments[2:]))
            bound = 2 * inner * np.finfo(np.float32).eps * scale + 1e-30
            result = getattr(compiled, name)(*arguments, out)
            assert result is out
            finite = np.isfinite(expected)
            np.testing.assert_array_equal(result[~finite], expected[~finite])
            assert (np.abs(result - expected)[finite] <= bound[finite]).all()


@pytest.mark.parametrize("overlapped", [0, 1, 2])
def test_an_output_that_overlaps_one_input_gets_what_numpy_gives(overlapped):
    rows, inner, columns = 40, 3, 20  # more than one tile: a later one reads what an earlier one has written
    shapes, size = [(rows, inner), (inner, columns), (columns,)], rows * columns
    for shift in (1, *range(0, size + 60, 7)):
        results = []
        for library in (compiled, with_numpy):
            memory = np.arange(3 * size, dtype=np.float32) % 5
            inputs = [np.arange(np.prod(shape), dtype=np.float32).reshape(shape) % 7 for shape in shapes]
            inputs[overlapped] = memory[size : size + inputs[overlapped].size].reshape(shapes[overlapped])
            results.append(library.product_plus_row(*inputs, memory[shift : shift + size].reshape(rows, columns)))
        np.testing.assert_array_equal(*results)


def test_an_output_that_cannot_be_written_stays_as_it_is():
    out = np.zeros((4, 4), np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        compiled.product(np.ones((4, 4), np.float32), np.ones((4, 4), np.float32), out)
    assert not out.any()


@pytest.mark.parametrize(
    "shapes", [[(2, 3), (4, 2), (2, 2)], [(2, 3), (3, 2), (2, 3)], [(2, 3), (3, 2), (3, 2)], [(3,), (2, 2), (2,)]]
)
def test_factors_that_do_not_fit_are_an_error(shapes):
    with pytest.raises(ValueError, match=r"mismatch|broadcast|dimension"):
        compiled.product(*(np.zeros(shape, np.float32) for shape in shapes))


def test_a_row_that_does_not_fit_is_an_error():
    square = np.ones((3, 3), np.float32)
    with pytest.raises(ValueError, match="broadcast"):
        compiled.product_plus_row(square, square, np.ones(2, np.float32), np.empty((3, 3), np.float32))


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 0, 3), (2, 3, 0)])
def test_nothing_times_nothing_is_what_numpy_makes_of_it(shape):
    rows, inner, columns = shape
    out = np.full((rows, columns), np.nan, np.float32)
    compiled.product(np.ones((rows, inner), np.float32), np.ones((inner, columns), np.float32), out)
    assert not out.any()


BITS = """
import hashlib
import numpy as np
from matrix_products import kernel_threads
from mlpkit_plugins import kernels

bits = hashlib.sha256()
generator = np.random.default_rng(0)
for rows, inner, columns in [(32, 784, 50), (784, 1000, 50), (500, 784, 300), (300, 500, 1100), (1, 900, 1500)]:
    a = generator.standard_normal((rows, inner)).astype(np.float32)
    b = generator.standard_normal((inner, columns)).astype(np.float32)
    for left in (a, np.asfortranarray(a)):
        for right in (b, np.asfortranarray(b)):
            for threads in (1, 2, 3):
                with kernel_threads(threads):
                    bits.update(kernels.product(left, right, np.empty((rows, columns), np.float32)).tobytes())
print(bits.hexdigest(), kernels.PRODUCTS_BY)
"""


@on_x86
def test_a_processor_without_avx512_computes_the_same_bits():
    assert printed_by(BITS, "avx2") == printed_by(BITS, "avx512")


LARGE_WITH_ZEROS = """
import hashlib
import numpy as np
from mlpkit_plugins import kernels

generator = np.random.default_rng(0)
b = generator.standard_normal((1020, 700), np.float32)
for share in np.linspace(0.54, 0.6, 20):
    a = generator.standard_normal((720, 1020), np.float32) * (generator.random((720, 1020)) > share)
    product = kernels.product(a.astype(np.float32), b, np.empty((720, 700), np.float32))
    print(hashlib.sha256(product.tobytes()).hexdigest())
"""


@by_blas
@on_x86
def test_avx2_and_avx512_leave_the_same_large_products_to_blas():
    assert printed_by(LARGE_WITH_ZEROS, "avx2") == printed_by(LARGE_WITH_ZEROS, "avx512")


OPENBLAS_WITH_PTHREADS = """
import numpy
from threadpoolctl import threadpool_info
if any(library.get("threading_layer") == "pthreads" for library in threadpool_info()):
    print("whose threads can be the team's")
"""


@pytest.mark.parametrize(
    ("kernels", "share", "told"),
    [
        ("", "1", ("compiled kernels", "compiled kernels with AMX")),
        ("avx512", "1", ("compiled kernels",)),
        ("", "0", ("compiled kernels, large products by BLAS",)),
        ("numpy", "1", ("NumPy",)),
    ],
)
def test_the_kernel_of_products_is_reported(kernels, share, told):
    program = "from mlpkit_plugins.kernels import PRODUCTS_BY; print(PRODUCTS_BY)"
    if share == "1" and kernels != "numpy" and (sys.platform != "linux" or not printed_by(OPENBLAS_WITH_PTHREADS)):
        pytest.skip("BLAS has threads of its own")
    assert printed_by(program, kernels, MLPKIT_SHARE_BLAS=share).strip() in told


@by_blas
def test_a_run_has_the_same_bits_on_any_number_of_threads_and_with_narrower_vectors(tmp_path):
    one = parameters_of_run(tmp_path / "one", "", "training.threads=1")
    assert parameters_of_run(tmp_path / "three", "", "training.threads=3") == one
    assert parameters_of_run(tmp_path / "narrow", "avx2", "training.threads=1") == one
