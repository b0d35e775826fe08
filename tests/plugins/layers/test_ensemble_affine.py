"""Affine maps with weights of their own."""

from __future__ import annotations

import numpy as np

from mlpkit.testing import standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.ensemble_affine import EnsembleAffine

MEMBERS, FEATURES, UNITS = 3, 4, 2


def test_each_member_is_an_affine_layer_of_its_own():
    layer = standalone(EnsembleAffine(UNITS), (MEMBERS, FEATURES))
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(5, MEMBERS, FEATURES)), rng.normal(size=(5, MEMBERS, UNITS))
    y, dx = layer.forward(x).copy(), layer.backward(dy.copy())
    for k in range(MEMBERS):
        affine = standalone(Affine(UNITS), (FEATURES,))
        affine.W.value[...], affine.b.value[...] = layer.W.value[k], layer.b.value[k]
        np.testing.assert_allclose(y[:, k], affine.forward(x[:, k]), rtol=1e-12)
        np.testing.assert_allclose(dx[:, k], affine.backward(dy[:, k].copy()), rtol=1e-12)
        np.testing.assert_allclose(layer.W.grad[k], affine.W.grad, rtol=1e-12)
        np.testing.assert_allclose(layer.b.grad[k], affine.b.grad, rtol=1e-12)


def test_members_begin_with_weights_of_their_own():
    layer = standalone(EnsembleAffine(UNITS), (MEMBERS, FEATURES))
    assert np.unique(layer.W.value).size == layer.W.value.size
    assert np.abs(layer.W.value).max() <= FEATURES**-0.5
