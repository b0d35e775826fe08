"""The layer Gru."""

import numpy as np
from windows_mlpkit.gru import Gru

from mlpkit.testing import standalone


def by_definition(layer, x):
    """Return the states, from the formulas."""
    (W_r, W_z, W_n), (U_r, U_z, U_n) = np.split(layer.W.value, 3, axis=1), np.split(layer.U.value, 3, axis=1)
    (b_r, b_z, b_n), (c_r, c_z, c_n) = np.split(layer.b.value, 3), np.split(layer.c.value, 3)
    h, states = np.zeros((len(x), len(U_r))), []
    for v in x.swapaxes(0, 1):
        r = 1 / (1 + np.exp(-(v @ W_r + b_r + h @ U_r + c_r)))
        z = 1 / (1 + np.exp(-(v @ W_z + b_z + h @ U_z + c_z)))
        n = np.tanh(v @ W_n + b_n + r * (h @ U_n + c_n))
        h = (1 - z) * n + z * h
        states.append(h)
    return np.stack(states, axis=1)


def test_is_the_formula():
    rng = np.random.default_rng(0)
    every, last = standalone(Gru(4, "all"), (5, 3)), standalone(Gru(4), (5, 3))
    for name in "WUbc":
        getattr(every, name).value[...] = getattr(last, name).value[...] = rng.normal(size=getattr(last, name).shape)
    x = rng.normal(size=(6, 5, 3))
    states = by_definition(every, x)
    np.testing.assert_allclose(every.forward(x), states, rtol=1e-12)
    np.testing.assert_allclose(last.forward(x), states[:, -1], rtol=1e-12)
