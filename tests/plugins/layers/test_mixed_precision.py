"""Layers that round the factors of their matrix products, which the page on training names, and those that don't."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from mlpkit import Sequential, Values
from mlpkit.registry.registry import installed
from mlpkit_plugins.kernels.with_numpy import to_bfloat16
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.batch_ensemble_affine import BatchEnsembleAffine
from mlpkit_plugins.layers.column_affine import ColumnAffine
from mlpkit_plugins.layers.conv2d import Conv2d
from mlpkit_plugins.layers.drop_connect import DropConnect
from mlpkit_plugins.layers.ensemble_affine import EnsembleAffine
from mlpkit_plugins.layers.flatten import Flatten
from mlpkit_plugins.layers.maxout import Maxout
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError

PAGE = Path(__file__).parents[3] / "docs" / "training.md"
ROUNDING = {  # factors 1/2 and 2, which change no digits, where a layer scales its weights
    "Affine": (lambda: Affine(8, ntk=True), (4,), 8),
    "Maxout": (lambda: Maxout(8), (4,), 8),
    "DropConnect": (lambda: DropConnect(8, rate=0.5), (4,), 8),
    "ColumnAffine": (lambda: ColumnAffine(4, widths=[3, 1]), (4,), 8),
    "EnsembleAffine": (lambda: EnsembleAffine(4), (2, 4), 8),
    "BatchEnsembleAffine": (lambda: BatchEnsembleAffine(4), (2, 4), 8),
}


def loss_and_gradient(layer, shape, outputs, precision, *, rounded=False):
    """Return the loss and the gradient by W; of inputs and weights that are rounded beforehand, if they are to be."""
    network = Sequential([layer(), Flatten(), MeanSquaredError()], shape, target=Values((outputs,)))
    generator = np.random.default_rng(0)
    x = generator.standard_normal((20, *shape), np.float32)
    t = generator.standard_normal((20, outputs)).astype(np.float32)
    W = next(path for path in network.parameters if path.endswith(".W"))
    if rounded:
        x, network.parameters[W][...] = to_bfloat16(x), to_bfloat16(network.parameters[W])
    network.set_precision(precision)
    network.set_training(True)
    with network.computing():
        loss = network.loss_and_gradient(x, t)
    return loss, network.layout.view(network.gradient_values, W).copy()


@pytest.mark.parametrize("name", ROUNDING)
def test_factors_are_rounded_there_and_back(name):
    exact, _ = loss_and_gradient(*ROUNDING[name], "float32")
    loss, gradient = loss_and_gradient(*ROUNDING[name], "bfloat16")
    beforehand, of_exact_errors = loss_and_gradient(*ROUNDING[name], "float32", rounded=True)
    assert loss == pytest.approx(beforehand, rel=1e-6)
    assert loss != pytest.approx(exact, rel=2e-6)
    np.testing.assert_allclose(gradient, of_exact_errors, rtol=0, atol=2**-7 * np.abs(gradient).max())
    assert np.abs(gradient - of_exact_errors).max() > 1e-4 * np.abs(gradient).max()  # dy is rounded too


def test_convolutions_are_those_of_float32():
    images = (lambda: Conv2d(2, 3), (1, 5, 5), 18)
    usual, told = (loss_and_gradient(*images, precision) for precision in ("float32", "bfloat16"))
    assert usual[0] == told[0]
    np.testing.assert_array_equal(usual[1], told[1])


def test_the_page_names_all_layers_that_round():
    listed = re.search(r"Of the built-in layers, (.+?) round[.;]", " ".join(PAGE.read_text("utf-8").split()))
    named = re.findall(r"`(\w+)`", listed[1])
    layers = [each.component for each in installed().components(("layer",))]
    built_in = [layer for layer in layers if layer.__module__.startswith("mlpkit_plugins.")]
    assert set(named) == {layer.__name__ for layer in built_in if layer.bfloat16_context} == set(ROUNDING)
