"""Values and gradients of both layers are PyTorch's."""

import numpy as np
import pytest
from windows_mlpkit.conv1d import Conv1d
from windows_mlpkit.gru import Gru

from mlpkit.testing import standalone

torch = pytest.importorskip("torch")


def tensor(values):
    """Return a copy as a tensor that collects its gradient."""
    return torch.tensor(np.ascontiguousarray(values), requires_grad=True)


@pytest.mark.parametrize(
    "given",
    [{}, {"stride": 2}, {"dilation": 3, "padding": 2}, {"stride": 3, "dilation": 2, "padding": 4}],
    ids=str,
)
def test_conv1d(given):
    layer = standalone(Conv1d(5, 4, **given), (17, 3))
    layer.b.value[...] = np.arange(5)
    x, theirs = np.random.default_rng(0).normal(size=(6, 17, 3)), torch.nn.Conv1d(3, 5, 4, **given, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight[...] = torch.tensor(layer.W.value.reshape(5, 3, 4))
        theirs.bias[...] = torch.tensor(layer.b.value)
    x_theirs = tensor(x)
    y_theirs = theirs(x_theirs.swapaxes(1, 2)).swapaxes(1, 2)
    y = layer.forward(x)
    np.testing.assert_allclose(y, y_theirs.detach(), rtol=1e-12, atol=1e-12)
    dy = np.random.default_rng(1).normal(size=y.shape)
    y_theirs.backward(torch.tensor(dy))
    np.testing.assert_allclose(layer.backward(dy), x_theirs.grad, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(layer.W.grad.reshape(5, 3, 4), theirs.weight.grad, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(layer.b.grad, theirs.bias.grad, rtol=1e-10)


@pytest.mark.parametrize("output", ["last", "all"])
def test_gru(output):
    layer = standalone(Gru(5, output), (7, 3))
    rng = np.random.default_rng(0)
    x, theirs = rng.normal(size=(6, 7, 3)), torch.nn.GRU(3, 5, batch_first=True, dtype=torch.float64)
    pairs = [
        (layer.W, theirs.weight_ih_l0),
        (layer.U, theirs.weight_hh_l0),
        (layer.b, theirs.bias_ih_l0),
        (layer.c, theirs.bias_hh_l0),
    ]
    for ours, their in pairs:
        ours.value[...] = rng.normal(size=ours.shape)
        with torch.no_grad():
            their[...] = torch.tensor(ours.value.T.copy())
    x_theirs = tensor(x)
    y_theirs = theirs(x_theirs)[0] if output == "all" else theirs(x_theirs)[0][:, -1]
    y = layer.forward(x)
    np.testing.assert_allclose(y, y_theirs.detach(), rtol=1e-11)
    dy = rng.normal(size=y.shape)
    y_theirs.backward(torch.tensor(dy))
    np.testing.assert_allclose(layer.backward(dy), x_theirs.grad, rtol=1e-9, atol=1e-12)
    for ours, their in pairs:
        np.testing.assert_allclose(ours.grad.T, their.grad, rtol=1e-9, atol=1e-12)
