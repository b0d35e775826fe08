"""Affine maps that share their weights."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ShapeError
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.batch_ensemble_affine import BatchEnsembleAffine

FORMS = {
    "all": {"r": "random_signs", "s": "random_signs"},
    "without r": {"r": None},
    "without s": {"s": None, "shared_bias": True},
    "W alone": {"r": None, "s": None},
}
MEMBERS, FEATURES, UNITS = 3, 4, 2


def drawn(shape):
    return np.random.default_rng(len(shape)).normal(size=shape)


@pytest.mark.parametrize("form", FORMS)
def test_each_member_is_an_affine_layer_of_its_own(form):
    """y_k = x_k (diag(r_k) W diag(s_k)) + b_k."""
    layer = standalone(BatchEnsembleAffine(UNITS, biases={"normal": {"std": 1.0}}, **FORMS[form]), (MEMBERS, FEATURES))
    x, dy = drawn((5, MEMBERS, FEATURES)), drawn((5, MEMBERS, UNITS))
    y, dx = layer.forward(x).copy(), layer.backward(dy.copy())
    values = {p.name: p.value for p in layer.declared_parameters()}
    for k in range(MEMBERS):
        r, s = (values[name][k] if name in values else 1.0 for name in "rs")
        affine = standalone(Affine(UNITS), (FEATURES,))
        affine.W.value[...] = (values["W"].T * r).T * s
        affine.b.value[...] = values["b"] if "shared_bias" in FORMS[form] else values["b"][k]
        np.testing.assert_allclose(y[:, k], affine.forward(x[:, k]), rtol=1e-12)
        np.testing.assert_allclose(dx[:, k], affine.backward(dy[:, k].copy()), rtol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_those_of_central_differences(form):
    check_gradients(BatchEnsembleAffine(UNITS, **FORMS[form]), (MEMBERS, FEATURES))


@pytest.mark.parametrize("shared", [False, True])
def test_by_default_members_start_alike(shared):
    layer = standalone(BatchEnsembleAffine(100, shared_bias=shared), (MEMBERS, FEATURES))
    first = {p.name: p for p in layer.declared_parameters()}
    assert {name: p.decay for name, p in first.items()} == {"W": True, "r": True, "s": True, "b": False}
    assert (first["r"].value == 1).all()
    assert (first["s"].value == 1).all()
    biases = np.broadcast_to(first["b"].value, (MEMBERS, 100))
    np.testing.assert_array_equal(biases, biases[[0] * MEMBERS])
    assert 0.9 / np.sqrt(FEATURES) < np.abs(biases).max() <= 1 / np.sqrt(FEATURES)


def test_counts_the_products_of_each_member():
    layer = standalone(BatchEnsembleAffine(UNITS), (MEMBERS, FEATURES))
    assert layer.flops((MEMBERS, FEATURES)) == 6 * MEMBERS * (FEATURES * UNITS + FEATURES + 2 * UNITS)


def test_refuses_inputs_without_members():
    with pytest.raises(StackError) as refused:
        standalone(BatchEnsembleAffine(UNITS), (FEATURES,))
    assert isinstance(refused.value.cause, ShapeError)
    assert refused.value.cause.remedy == "put EnsembleView before it"
