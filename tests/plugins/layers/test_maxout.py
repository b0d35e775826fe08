"""Maxout units."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ParameterError, ShapeError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.maxout import Maxout


def test_is_the_largest_of_several_affine_maps():
    layer = standalone(Maxout(3, pieces=4), (5,))
    layer.b.value[...] = np.random.default_rng(1).normal(size=12)
    x = np.random.default_rng(0).normal(size=(6, 5))
    W, b = np.split(layer.W.value, 4, axis=1), np.split(layer.b.value, 4)
    maps = [x @ W[k] + b[k] for k in range(4)]
    np.testing.assert_allclose(layer.forward(x), np.max(maps, axis=0))


def test_of_equal_pieces_the_first_is_trained():
    layer = standalone(Maxout(1, pieces=2, weights="zeros"), (2,))
    layer.forward(np.array([[1.0, 2]]))
    layer.backward(np.array([[3.0]]))
    np.testing.assert_array_equal(layer.W.grad, [[3, 0], [6, 0]])
    np.testing.assert_array_equal(layer.b.grad, [3, 0])


def test_the_fan_in_of_each_piece_is_the_number_of_features():
    assert standalone(Maxout(200, pieces=3), (100,)).W.value.std() == pytest.approx(0.1, rel=0.02)


def test_what_it_can_not_take():
    with pytest.raises(ShapeError, match="put Flatten before it"):
        Maxout(3).build((2, 3))
    with pytest.raises(ParameterError, match="pieces: 0 is out of range"):
        Maxout(3, pieces=0)
