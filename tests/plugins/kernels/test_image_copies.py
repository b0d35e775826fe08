"""Copies of images in another order of axes: those of NumPy, whatever the arrays look like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_products import kernel_threads
from memory_layouts import LAYOUTS, arrays
from requirements import require_module

from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")

lengths = st.integers(1, 7)
many = st.sampled_from([1, 2, 7, 8, 16, 33, 300])


@settings(deadline=None, max_examples=100)
@given(
    data=st.data(),
    dtype=st.sampled_from([np.float32, np.float32, np.float64]),
    shape=st.tuples(many, lengths, lengths, st.integers(1, 30)),
    padding=st.integers(0, 2),
    layouts=st.sampled_from([["contiguous"], ["padded"], LAYOUTS]),
    threads=st.integers(1, 3),
)
def test_images_become_what_they_become_with_numpy(data, dtype, shape, padding, layouts, threads):
    rows, channels, height, width = shape
    x = data.draw(arrays(shape, dtype, layouts=layouts))
    by_column = (width + 2 * padding, channels, height + 2 * padding, rows)
    turned = data.draw(arrays((width, channels, height, rows), dtype, layouts=layouts)).transpose(3, 1, 2, 0)
    with kernel_threads(threads):
        found = compiled.pad_images(x, padding, np.full(by_column, np.nan, dtype))
        flat = compiled.flatten_images(turned, np.full((rows, channels * height * width + 3), np.nan, dtype)[:, 3:])
    np.testing.assert_array_equal(found, with_numpy.pad_images(x, padding, np.full(by_column, np.nan, dtype)))
    np.testing.assert_array_equal(flat, turned.reshape(rows, -1))


@pytest.mark.parametrize("threads", [1, 2])
def test_many_features_are_copied_by_any_number_of_threads(threads):
    x = np.random.default_rng(0).standard_normal((33, 7, 5, 30), np.float32)
    with kernel_threads(threads):
        found = compiled.pad_images(x, 0, np.full((30, 7, 5, 33), np.nan, np.float32))
        flat = compiled.flatten_images(found.transpose(3, 1, 2, 0), np.full((33, 1050), np.nan, np.float32))
    np.testing.assert_array_equal(found, x.transpose(3, 1, 2, 0))
    np.testing.assert_array_equal(flat, x.reshape(33, -1))


@pytest.mark.skipif(not compiled.INSTRUCTIONS, reason="the processor has no vectors that copies are written for")
@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize("rows", [1, 33])
def test_images_of_minibatches_and_of_layers_are_copied_without_numpy(monkeypatch, rows, gap):
    x = np.random.default_rng(0).standard_normal((rows, 60 + gap), np.float32)[:, gap:].reshape(rows, 3, 4, 5)
    expected = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for name in ("pad_images", "flatten_images"):
        monkeypatch.delattr(with_numpy, name)
    found = compiled.pad_images(x, 1, np.full((7, 3, 6, rows), np.nan, np.float32)).transpose(3, 1, 2, 0)
    flat = compiled.flatten_images(found, np.full((rows, 126 + gap), np.nan, np.float32)[:, gap:])
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(flat, expected.reshape(rows, -1))


@pytest.mark.parametrize("axis", [0, 1])
def test_images_with_gaps_between_their_columns_or_channels_become_what_they_become_with_numpy(axis):
    strips = np.arange(480, dtype=np.float32).reshape(8, 3, 4, 5)
    images = (strips[::2] if axis == 0 else strips[:, ::2]).transpose(3, 1, 2, 0)
    found = compiled.flatten_images(images, np.empty((5, images.size // 5), np.float32))
    np.testing.assert_array_equal(found, images.reshape(5, -1))
    minibatch = strips[:, ::2]
    found = compiled.pad_images(minibatch, 1, np.empty((7, 2, 6, 8), np.float32))
    np.testing.assert_array_equal(found, with_numpy.pad_images(minibatch, 1, np.empty_like(found)))


def test_images_of_another_dtype_than_the_output_become_what_they_become_with_numpy():
    images = np.arange(120.0).reshape(5, 2, 4, 3).transpose(3, 1, 2, 0)
    found = compiled.flatten_images(images, np.empty((3, 40), np.float32))
    np.testing.assert_array_equal(found, images.reshape(3, 40))


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_rows_that_are_not_those_of_the_images_are_filled_all_the_same(library):
    images = np.arange(120, dtype=np.float32).reshape(5, 2, 4, 3).transpose(3, 1, 2, 0)
    found = library.flatten_images(images, np.empty((6, 20), np.float32))
    np.testing.assert_array_equal(found, images.reshape(6, 20))


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_an_output_that_overlaps_the_images_gets_them_all_the_same(library):
    memory = np.arange(127, dtype=np.float32)
    images = memory[7:].reshape(5, 2, 4, 3).transpose(3, 1, 2, 0)
    expected = images.reshape(3, 40).copy()
    np.testing.assert_array_equal(library.flatten_images(images, memory[:120].reshape(3, 40)), expected)
    memory = np.arange(127, dtype=np.float32)
    images = memory[7:].reshape(3, 2, 4, 5)
    expected = images.transpose(3, 1, 2, 0).copy()
    np.testing.assert_array_equal(library.pad_images(images, 0, memory[:120].reshape(5, 2, 4, 3)), expected)
    memory = np.arange(180, dtype=np.float32)
    images = memory[7:127].reshape(3, 2, 4, 5)[::-1]
    expected = images.transpose(3, 1, 2, 0).copy()
    np.testing.assert_array_equal(library.pad_images(images, 0, memory[60:].reshape(5, 2, 4, 3)), expected)


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_arrays_that_do_not_match_are_an_error_and_no_crash(library):
    x = np.ones((3, 2, 4, 5), np.float32)
    for shape in ((5, 2, 4, 2), (5, 3, 4, 3), (7, 2, 4, 3), (5, 2, 5, 3)):
        with pytest.raises(ValueError, match="broadcast"):
            library.pad_images(x, 0, np.empty(shape, np.float32))
    with pytest.raises(ValueError, match="reshape"):
        library.flatten_images(x.transpose(3, 1, 2, 0), np.empty((5, 23), np.float32))
    for name in ("pad_images", "flatten_images"):
        with pytest.raises(TypeError):
            getattr(library, name)(x)
