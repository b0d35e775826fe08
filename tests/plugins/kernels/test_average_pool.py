"""Average pooling, compiled, gives the numbers of NumPy, whatever the arrays look like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_products import kernel_threads
from memory_layouts import arrays
from pooled_images import POOLING
from requirements import require_module

from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")


@settings(deadline=None, max_examples=100)
@given(
    data=st.data(),
    rows=st.sampled_from([1, 2, 33, 700]),
    across=st.sampled_from([1, 2, 5, 14, 17]),
    **POOLING,
)
def test_gives_the_numbers_of_numpy(data, dtype, size, stride, left, rows, across, layouts, threads):
    down, channels = (data.draw(st.integers(1, 4)) for _ in range(2))
    shape = (rows, channels, stride * (down - 1) + size + left, stride * (across - 1) + size + left)
    x = data.draw(arrays(shape, dtype, layouts=layouts))
    found = []
    for library in (compiled, with_numpy):
        y = np.full((rows, channels, down, across), np.nan, dtype)
        with np.errstate(all="ignore"), kernel_threads(threads):
            assert library.average_pool(x, size, stride, y) is y
        found.append(y)
    np.testing.assert_array_equal(*found)


def test_a_single_image_is_not_cut_inside():
    x = np.random.default_rng(0).standard_normal((1, 8, 70, 70), np.float32)
    with kernel_threads(2):
        y = compiled.average_pool(x, 2, 2, np.empty((1, 8, 35, 35), np.float32))
    np.testing.assert_array_equal(y, with_numpy.average_pool(x, 2, 2, np.empty_like(y)))


@pytest.mark.parametrize("shape", [(3, 2, 3, 4), (3, 2, 4, 3)])
def test_patches_that_reach_beyond_the_images_get_what_numpy_gives(shape):
    x = np.arange(200, dtype=np.float32)[: np.prod(shape)].reshape(shape)
    found = [library.average_pool(x, 2, 2, np.empty((3, 2, 2, 2), np.float32)) for library in (compiled, with_numpy)]
    np.testing.assert_array_equal(*found)


def test_an_output_that_overlaps_the_images_gets_what_numpy_gives():
    for shift in range(0, 72, 6):
        found = []
        for library in (compiled, with_numpy):
            memory = np.random.default_rng(0).standard_normal(96, np.float32)
            y = memory[shift : shift + 24].reshape(3, 2, 2, 2)
            found.append(library.average_pool(memory.reshape(3, 2, 4, 4), 2, 2, y))
        np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize("shape", [(3, 2, 4, 3), (4, 3, 4, 3), (4, 2, 1, 3), (4, 2, 4, 1)])
def test_arrays_that_do_not_match_are_an_error_and_no_crash(library, shape):
    with pytest.raises(ValueError, match="broadcast"):
        library.average_pool(np.ones(shape, np.float32), 2, 1, np.ones((4, 2, 3, 2), np.float32))


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize(("size", "stride"), [(2**63 - 1, 2), (2, 0)])
def test_sizes_and_strides_that_fit_no_image_are_an_error(library, size, stride):
    with pytest.raises((ValueError, OverflowError)):
        library.average_pool(np.ones((4, 2, 4, 4), np.float32), size, stride, np.ones((4, 2, 2, 2), np.float32))
