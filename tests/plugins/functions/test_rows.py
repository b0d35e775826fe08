"""What is done to each row of a minibatch, and sums over its rows."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit.components.parameter import gapped_size, padded_view
from mlpkit.testing import check_gradients
from mlpkit_plugins.functions.rows import scale_and_shift_rows, scale_rows, sum_row_products, sum_rows
from mlpkit_plugins.layers.batch_ensemble_affine import BatchEnsembleAffine
from mlpkit_plugins.layers.ensemble_affine import EnsembleAffine
from mlpkit_plugins.layers.layer_norm import LayerNorm
from mlpkit_plugins.layers.scale import Scale

WITH_GAPS = (2, 512)
"""A shape whose rows lie apart in memory."""

shapes = pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), WITH_GAPS])


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def parameter(shape):
    array = padded_view(np.full(gapped_size(shape), np.nan), shape)
    array[...] = numbers(*shape, seed=1)
    return array


def test_rows_of_a_parameter_of_that_shape_lie_apart():
    assert not parameter(WITH_GAPS).flags.c_contiguous


@shapes
def test_sums_of_rows_are_those_of_numpy(shape):
    x, y, out = numbers(5, *shape), numbers(5, *shape, seed=2), parameter(shape)
    sum_rows(x, out)
    np.testing.assert_allclose(out, x.sum(axis=0), rtol=1e-12)
    sum_row_products(x, y, np.empty_like(x), out)
    np.testing.assert_allclose(out, (x * y).sum(axis=0), rtol=1e-12)


@shapes
def test_rows_are_scaled_and_shifted_as_by_numpy(shape):
    x, scale, shift = numbers(5, *shape), parameter(shape), numbers(shape[-1])
    np.testing.assert_array_equal(scale_rows(x, scale, np.empty_like(x)), x * scale)
    np.testing.assert_array_equal(scale_and_shift_rows(x, scale, shift, np.empty_like(x)), x * scale + shift)
    np.testing.assert_array_equal(scale_rows(x[:0], scale, x[:0]), x[:0])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(EnsembleAffine(512), (2, 1)), (BatchEnsembleAffine(512), (2, 1)), (Scale(), WITH_GAPS), (LayerNorm(), WITH_GAPS)],
    ids=lambda given: type(given).__name__ if not isinstance(given, tuple) else "",
)
def test_gradients_of_parameters_whose_rows_lie_apart_are_those_of_central_differences(layer, shape):
    check_gradients(layer, shape)
