"""Waves of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from same_row import assert_same_row

from mlpkit import ParameterError, Sequential
from mlpkit.testing import standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.periodic import Periodic
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

FORMS = ("plr", "plr_lite", "pbld")
COLUMNS, SIZE, FREQUENCIES = 3, 4, 5


def layer_of(form, dtype="float64"):
    layer = Periodic(form, size=SIZE, frequencies=FREQUENCIES, std=0.3)
    return standalone(layer, (COLUMNS,), dtype=dtype)


def naive(form, p, x):
    """Transcribe rtdl_num_embeddings' PeriodicEmbeddings and pytabkit's PLREmbeddingsLayerCosBias, column by column.

    Return y, and for a given dy the gradients of all parameters.
    """
    ys, waves = [], []
    for c in range(COLUMNS):
        W2, b2 = (p["W2"], p["b2"]) if form == "plr_lite" else (p["W2"][c], p["b2"][c])
        phase = 2 * np.pi * x[:, c : c + 1] * p["w"][c]
        if form == "pbld":
            phase = phase + p["b"][c]
            v = np.cos(phase)
            y = np.concatenate([x[:, c : c + 1], v @ W2 + b2], axis=1)
        else:
            v = np.concatenate([np.cos(phase), np.sin(phase)], axis=1)
            y = np.maximum(v @ W2 + b2, 0)
        ys.append(y)
        waves.append((phase, v, W2))

    def gradients(dy):
        g = {name: np.zeros_like(value) for name, value in p.items()}
        dx = np.zeros_like(x)
        for c, (phase, v, W2) in enumerate(waves):
            d = dy[:, c * SIZE : (c + 1) * SIZE]
            dz = d[:, 1:] if form == "pbld" else d * (ys[c] > 0)
            place = () if form == "plr_lite" else (c,)
            g["W2"][place] += v.T @ dz
            g["b2"][place] += dz.sum(axis=0)
            dv = dz @ W2.T
            if form == "pbld":
                dphase = -dv * np.sin(phase)
                g["b"][c] = dphase.sum(axis=0)
                dx[:, c] = d[:, 0]
            else:
                dphase = -dv[:, :FREQUENCIES] * np.sin(phase) + dv[:, FREQUENCIES:] * np.cos(phase)
            g["w"][c] = 2 * np.pi * (dphase * x[:, c : c + 1]).sum(axis=0)
            dx[:, c] += 2 * np.pi * (dphase * p["w"][c]).sum(axis=1)
        return g, dx

    return np.concatenate(ys, axis=1), gradients


@pytest.mark.parametrize("form", FORMS)
def test_a_hundred_steps_as_in_the_papers_code(form):
    layer = layer_of(form)
    own = {parameter.name: parameter for parameter in layer.declared_parameters()}
    peer = {name: parameter.value.copy() for name, parameter in own.items()}
    rng = np.random.default_rng(0)
    for _ in range(100):
        x = rng.normal(size=(8, COLUMNS))
        y, gradients = naive(form, peer, x)
        np.testing.assert_allclose(layer.forward(x), y, atol=1e-6)
        dy = y - rng.normal(size=y.shape)
        expected, expected_dx = gradients(dy)
        np.testing.assert_allclose(layer.backward(dy.copy()), expected_dx, atol=1e-6)
        for name, parameter in own.items():
            parameter.value -= 0.01 * parameter.grad
            peer[name] -= 0.01 * expected[name]
    for name, parameter in own.items():
        np.testing.assert_allclose(parameter.value, peer[name], atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_first_values_have_the_distributions_of_the_papers(form):
    layer = standalone(Periodic(form, size=9, frequencies=64, std=0.1), (50,))
    found = {parameter.name: parameter for parameter in layer.declared_parameters()}
    assert found["w"].value.std() == pytest.approx(0.1, rel=0.05)
    bound = (64 if form == "pbld" else 128) ** -0.5
    for name in ("W2", "b2"):
        assert np.abs(found[name].value).max() <= bound
    assert found["W2"].value.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)
    if form == "pbld":
        assert found["b"].value.std() == pytest.approx(np.pi / np.sqrt(3), rel=0.05)
    assert {parameter.rate for parameter in found.values()} == {0.1 if form == "pbld" else 1.0}


@pytest.mark.parametrize("form", FORMS)
def test_a_row_has_the_same_bits_alone_and_among_others(form):
    stack = [Periodic(form, size=4, frequencies=16, std=0.5), Affine(3), SoftmaxWithLoss()]
    network = Sequential(stack, (7,), seed=1)
    x = np.random.default_rng(0).normal(size=(33, 7)).astype(np.float32)
    together = network.predict(x)
    assert_same_row(np.concatenate([network.predict(row[None]) for row in x]), together)


def test_pbld_needs_a_place_for_waves():
    with pytest.raises(ParameterError, match="pbld needs a place for the number, and one for waves"):
        Periodic("pbld", size=1)
