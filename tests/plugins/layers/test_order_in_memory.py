"""Layers on images keep the order that images have in memory, so that none of them is slow on another's outputs."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit.testing import standalone
from mlpkit_plugins.layers.average_pool2d import AveragePool2d
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.layers.conv2d import Conv2d
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.layers.elu import Elu
from mlpkit_plugins.layers.gelu import Gelu
from mlpkit_plugins.layers.layer_norm import LayerNorm
from mlpkit_plugins.layers.leaky_relu import LeakyRelu
from mlpkit_plugins.layers.max_pool2d import MaxPool2d
from mlpkit_plugins.layers.mish import Mish
from mlpkit_plugins.layers.parametric import Parametric
from mlpkit_plugins.layers.prelu import Prelu
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.selu import Selu
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.layers.silu import Silu
from mlpkit_plugins.layers.softplus import Softplus
from mlpkit_plugins.layers.tanh import Tanh

ALIKE = [BatchNorm, Dropout, Elu, Gelu, LayerNorm, LeakyRelu, Mish, Prelu, Relu, Selu, Sigmoid, Silu, Softplus, Tanh]


def parametric():
    return Parametric(Mish())


SHAPE = (3, 6, 8)
ROWS_FASTEST = (3, 1, 2, 0)


@pytest.mark.parametrize("layer", [*ALIKE, parametric, AveragePool2d], ids=lambda layer: layer.__name__)
@pytest.mark.parametrize("order", [(0, 1, 2, 3), ROWS_FASTEST], ids=["rows slowest", "rows fastest"])
def test_outputs_and_gradients_lie_in_memory_as_inputs_do(layer, order):
    x = np.empty([(5, *SHAPE)[axis] for axis in order]).transpose(np.argsort(order))
    x[...] = np.random.default_rng(0).normal(size=x.shape)
    made = standalone(layer(), SHAPE)
    made.training = True
    y = made.forward(x)
    dx = made.backward(y.copy("K"))
    for array in (y, dx):
        assert array.transpose(order).flags.c_contiguous


@pytest.mark.parametrize("layer", [Conv2d(4, 3), MaxPool2d()], ids=["Conv2d", "MaxPool2d"])
def test_what_reads_images_with_kernels_returns_images_whose_rows_are_fastest(layer):
    made = standalone(layer, SHAPE)
    y = made.forward(np.ones((5, *SHAPE)))
    assert y.transpose(ROWS_FASTEST).flags.c_contiguous
    assert made.backward(y.copy()).transpose(ROWS_FASTEST).flags.c_contiguous


@pytest.mark.parametrize(
    "layer", [Conv2d(4, 3), Conv2d(4, 3, padding=1), Conv2d(2, 4, stride=2, padding=2), MaxPool2d(), AveragePool2d()]
)
def test_images_in_either_order_give_the_same(layer):
    x = np.random.default_rng(0).normal(size=(5, *SHAPE))
    made, found = standalone(layer, SHAPE), []
    for images in (x, np.ascontiguousarray(x.transpose(ROWS_FASTEST)).transpose(ROWS_FASTEST)):
        y = made.forward(images).copy()
        found.append((y, made.backward(y.copy("K")).copy()))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
