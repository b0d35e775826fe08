"""Orthogonal rows or columns."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Fans, ParameterError
from mlpkit_plugins.initializers.orthogonal import Orthogonal

FANS = Fans(1, 1)


def draw(shape, seed=0, gain=1.0, dtype="float64"):
    return Orthogonal(gain)(shape, FANS, np.random.default_rng(seed), np.dtype(dtype))


@settings(deadline=None)
@given(
    shape=st.lists(st.integers(1, 12), max_size=4).map(tuple),
    seed=st.integers(0, 2**32),
    gain=st.floats(0.01, 100),
)
def test_the_fewer_of_rows_and_columns_are_orthogonal_and_as_long_as_the_gain(shape, seed, gain):
    W = draw(shape, seed, gain).reshape(prod(shape[:-1]), prod(shape[-1:]))
    products = W.T @ W if W.shape[0] >= W.shape[1] else W @ W.T
    np.testing.assert_allclose(products, gain**2 * np.eye(len(products)), rtol=0, atol=1e-12 * gain**2)


@given(seed=st.integers(0, 2**32))
def test_a_square_matrix_keeps_lengths_and_angles(seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 8))
    W = draw((8, 8), seed)
    assert (W @ x) @ (W @ y) == pytest.approx(x @ y, abs=1e-12)


def test_every_rotation_and_reflection_is_equally_probable():
    matrices = np.array([draw((3, 3), seed) for seed in range(4000)])
    rotations = (np.linalg.det(matrices) > 0).mean()
    assert rotations == pytest.approx(0.5, abs=0.04)
    np.testing.assert_allclose(matrices.mean(axis=0), 0, atol=0.05)  # without the signs, the diagonal is below 0
    np.testing.assert_allclose((matrices**2).mean(axis=0), 1 / 3, atol=0.03)
    np.testing.assert_allclose((matrices**4).mean(axis=0), 1 / 5, atol=0.03)  # 3 / (n (n + 2))


def test_single_precision_is_rounded_double_precision():
    np.testing.assert_array_equal(draw((9, 4), dtype="float32"), draw((9, 4)).astype("float32"))


def test_a_gain_is_positive():
    with pytest.raises(ParameterError, match="gain: 0 is out of range; expected a number, greater than 0"):
        Orthogonal(0)
