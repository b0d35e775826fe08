"""What the tests of calibrations share."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit.network.shape_proof import Adjustments, Proof, adjusted


@pytest.fixture(scope="session")
def fitted():
    """Return a function that fits a calibration on probabilities and targets of held-out rows."""

    def fit(calibration, target, p, t, weights=None, dtype=np.float64):
        adjusted(Proof([], None, [], target, 0), Adjustments(calibration), np.dtype(dtype))
        for state in calibration.declared_states():
            state.value = np.full(state.shape, state.initial, dtype)
        counts = np.ones(len(p)) if weights is None else np.asarray(weights, float)
        calibration.fit(np.asarray(p, float), np.asarray(t, float), counts)
        return calibration

    return fit


@pytest.fixture(scope="session")
def drawn():
    """Return a function that draws probabilities of classes or labels, and targets by them."""

    def draw(seed, rows, count, *, labels=False, sureness=1.0):
        random = np.random.default_rng(seed)
        logits = random.normal(0, 1.5, (rows, count))
        if labels:
            t = (random.random((rows, count)) < 1 / (1 + np.exp(-logits))).astype(float)
            return 1 / (1 + np.exp(-sureness * logits)), t
        t = np.eye(count)[(logits + random.gumbel(size=logits.shape)).argmax(axis=1)]
        p = np.exp(sureness * (logits - logits.max(axis=1, keepdims=True)))
        return p / p.sum(axis=1, keepdims=True), t

    return draw
