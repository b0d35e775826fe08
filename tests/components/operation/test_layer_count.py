"""Layers inside layers are counted across the network."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit import Sequential
from mlpkit.components.operation import MOST_LAYERS_INSIDE
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.repeat import Repeat
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


def test_a_network_has_only_so_many() -> None:
    half = MOST_LAYERS_INSIDE // 2
    network = Sequential([Repeat(half, Relu), Repeat(half, Relu), SoftmaxWithLoss()], (2,))
    assert network.predict(np.zeros((1, 2))).shape == (1, 2)
    with pytest.raises(mlpkit.MlpkitError, match=r"Repeat2 brings .* with fewer layers; repeat fewer of them"):
        Sequential([Repeat(half, Relu), Repeat(half + 1, Relu), SoftmaxWithLoss()], (2,))


def test_each_is_called_by_its_type_and_number() -> None:
    network = Sequential([Repeat(3, lambda: Affine(2)), SoftmaxWithLoss()], (2,))
    assert [path for path in network.parameters if path.endswith("W")] == [f"Repeat1.Affine{i}.W" for i in (1, 2, 3)]
