"""Max pooling, compiled, gives the numbers of NumPy, whatever the arrays look like."""

from __future__ import annotations

import numpy as np
import pytest
from guarded_memory import guarded
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_products import kernel_threads
from memory_layouts import arrays, bits
from pooled_images import POOLING
from requirements import require_module

from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")


@settings(deadline=None, max_examples=100)
@given(
    data=st.data(),
    rows=st.sampled_from([1, 2, 15, 16, 33, 256, 257, 700]),
    **POOLING,
)
def test_gives_the_numbers_of_numpy(data, dtype, size, stride, left, rows, layouts, threads):
    def floats(*shape):
        return data.draw(arrays(shape, dtype, layouts=layouts))

    across, down, channels = (data.draw(st.integers(1, 4)) for _ in range(3))
    x = floats(stride * (across - 1) + size + left, channels, stride * (down - 1) + size + left, rows)
    dy = floats(across, channels, down, rows)
    found, expected = [], []
    for library, results in ((compiled, found), (with_numpy, expected)):
        y, dx = np.full_like(dy, np.nan), np.full_like(x, np.nan)
        with np.errstate(invalid="ignore"), kernel_threads(threads):
            assert library.max_pool(x, size, stride, y) is y
            assert library.max_pool_gradient(x, y, dy, size, stride, dx) is dx
        results += [y, dx]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(bits(found[1]), bits(expected[1]))


@pytest.mark.parametrize("rows", [1, 3, 20, 48, 600])  # with 20, seven of 30 channels are pooled at once
@pytest.mark.parametrize(("size", "stride"), [(1, 2), (2, 2), (3, 1)])
def test_of_equal_pixels_the_first_one_counts_row_by_row(rows, size, stride):
    x = guarded(np.random.default_rng(0).choice(np.array([0.0, -0.0, -1.0, np.nan], np.float32), (9, 30, 7, rows)))
    across, down = ((length - size) // stride + 1 for length in (9, 7))
    y = compiled.max_pool(x, size, stride, guarded(np.zeros((across, 30, down, rows), np.float32)))
    expected = np.full_like(y, -np.inf)
    for p, q in np.ndindex(size, size):
        pixels = x[q : q + stride * (across - 1) + 1 : stride, :, p : p + stride * (down - 1) + 1 : stride]
        expected = np.where((expected >= pixels) | np.isnan(expected), expected, pixels)
    np.testing.assert_array_equal(y.view(np.int32), expected.view(np.int32))


def test_a_single_column_of_patches_is_not_cut_inside():
    x = np.random.default_rng(0).standard_normal((2, 3, 40, 700), np.float32)
    dy = np.random.default_rng(1).standard_normal((1, 3, 20, 700), np.float32)
    found = []
    for threads in (1, 2):
        y, dx = np.empty_like(dy), np.empty_like(x)
        with kernel_threads(threads):
            compiled.max_pool(x, 2, 2, y)
            compiled.max_pool_gradient(x, y, dy, 2, 2, dx)
        found.append((y, dx))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(y, with_numpy.max_pool(x, 2, 2, np.empty_like(dy)))


@pytest.mark.parametrize("shape", [(3, 2, 4, 3), (4, 2, 3, 3)])
def test_patches_that_reach_beyond_the_images_get_what_numpy_gives(shape):
    memory = np.arange(200, dtype=np.float32)
    x = memory[: np.prod(shape)].reshape(shape)
    found = [library.max_pool(x, 2, 2, np.empty((2, 2, 2, 3), np.float32)) for library in (compiled, with_numpy)]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(("size", "stride"), [(0, 2), (2, 2**63 - 1)])
def test_patches_without_pixels_or_far_apart_get_what_numpy_gives(size, stride):
    x = np.arange(96, dtype=np.float32).reshape(4, 2, 4, 3)
    y = [library.max_pool(x, size, stride, np.empty((2, 2, 2, 3), np.float32)) for library in (compiled, with_numpy)]
    np.testing.assert_array_equal(*y)


def test_a_gradient_of_another_shape_than_the_images_gets_what_numpy_gives():
    x, dy = np.random.default_rng(0).standard_normal((4, 2, 4, 3)), np.ones((2, 2, 2, 3))
    y = with_numpy.max_pool(x, 2, 2, np.empty_like(dy))
    found = [library.max_pool_gradient(x, y, dy, 2, 2, np.ones((4, 2, 5, 3))) for library in (compiled, with_numpy)]
    np.testing.assert_array_equal(*found)


def test_an_output_that_overlaps_the_images_gets_what_numpy_gives():
    for shift in range(0, 72, 6):
        found = []
        for library in (compiled, with_numpy):
            memory = np.random.default_rng(0).integers(9, size=96).astype(np.float32)
            y = memory[shift : shift + 24].reshape(2, 2, 2, 3)
            found.append(library.max_pool(memory.reshape(4, 2, 4, 3), 2, 2, y))
        np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("overlapped", [0, 1, 2])
def test_a_gradient_that_overlaps_an_input_gets_what_numpy_gives(overlapped):
    for shift in range(6, 120, 6):
        found = []
        for library in (compiled, with_numpy):
            x = np.random.default_rng(0).integers(9, size=(4, 2, 4, 3)).astype(np.float32)
            y = with_numpy.max_pool(x, 2, 2, np.empty((2, 2, 2, 3), np.float32))
            inputs, memory = [x, y, y + 1], np.zeros(300, np.float32)
            place = memory[96 : 96 + inputs[overlapped].size].reshape(inputs[overlapped].shape)
            place[...] = inputs[overlapped]
            inputs[overlapped] = place
            dx = memory[shift : shift + 96].reshape(x.shape)
            found.append(library.max_pool_gradient(*inputs, 2, 2, dx))
        np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize(("size", "stride"), [(2**63 - 1, 2), (2, 0)])
def test_sizes_and_strides_that_fit_no_image_are_an_error(library, size, stride):
    with pytest.raises(ValueError, match=r"slice|broadcast"):
        library.max_pool(np.ones((4, 2, 4, 3), np.float32), size, stride, np.ones((2, 2, 2, 3), np.float32))


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_arrays_that_do_not_match_are_an_error_and_no_crash(library):
    x, y = np.ones((4, 2, 4, 3), np.float32), np.ones((2, 2, 2, 3), np.float32)
    for small in (np.ones((4, 2, 4, 2), np.float32), np.ones((4, 3, 4, 3), np.float32)):
        with pytest.raises(ValueError, match="broadcast"):
            library.max_pool(small, 2, 2, y.copy())
        with pytest.raises(ValueError, match="broadcast"):
            library.max_pool_gradient(small, y, y, 2, 2, np.empty_like(small))
    with pytest.raises(ValueError, match="broadcast"):
        library.max_pool_gradient(x, y, y[:1], 2, 2, np.empty_like(x))
