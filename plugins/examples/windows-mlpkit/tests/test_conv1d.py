"""The layer Conv1d."""

import numpy as np
import pytest
from windows_mlpkit.conv1d import Conv1d

from mlpkit import ShapeError
from mlpkit.testing import standalone


def test_is_the_formula():
    layer = standalone(Conv1d(4, 3, stride=2, dilation=2, padding=1), (9, 2))
    layer.b.value[...] = [1, 2, 3, 4]
    x, W = np.random.default_rng(0).normal(size=(5, 9, 2)), layer.W.value.reshape(4, 2, 3)
    padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
    patches = np.stack([padded[:, i : i + 5 : 2] for i in range(0, 7, 2)], axis=1)
    np.testing.assert_allclose(layer.forward(x), np.einsum("ripc,kcp->rik", patches, W) + layer.b.value)


def test_patches_longer_than_the_inputs_are_refused():
    with pytest.raises(ShapeError, match="reaches over 7 steps, and its inputs have 6"):
        Conv1d(2, 4, dilation=2).build((6, 2))
