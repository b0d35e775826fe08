"""The examples that layers show themselves by."""

from __future__ import annotations

import pytest

from mlpkit.testing import check_gradients
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.sigmoid import Sigmoid


@pytest.mark.parametrize("layer", [Affine, Relu, Sigmoid])
def test_every_example_works(layer):
    examples = layer.examples()
    assert len(examples) >= 2
    for parameters, input_shape in examples:
        check_gradients(layer(**parameters), input_shape)
