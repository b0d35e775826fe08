"""Networks take the same 100 steps as in PyTorch, with each layer and each loss."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Sequential
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.average_pool2d import AveragePool2d
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.layers.conv2d import Conv2d
from mlpkit_plugins.layers.elu import Elu
from mlpkit_plugins.layers.flatten import Flatten
from mlpkit_plugins.layers.gelu import Gelu
from mlpkit_plugins.layers.layer_norm import LayerNorm
from mlpkit_plugins.layers.leaky_relu import LeakyRelu
from mlpkit_plugins.layers.max_pool2d import MaxPool2d
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.reshape import Reshape
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.layers.silu import Silu
from mlpkit_plugins.layers.softplus import Softplus
from mlpkit_plugins.layers.tanh import Tanh
from mlpkit_plugins.losses.huber import Huber
from mlpkit_plugins.losses.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

torch = pytest.importorskip("torch")
nn = torch.nn

FEATURES, UNITS, OUTPUTS, ROWS, STEPS = 5, 36, 3, 8, 100
LEARNING_RATE = 0.1

NAMES = {"W": "weight", "b": "bias", "gamma": "weight", "beta": "bias"}
STATES = {"running_mean": "running_mean", "running_variance": "running_var"}

LAYERS = {
    "Relu": ([Relu()], [nn.ReLU()]),
    "Sigmoid": ([Sigmoid()], [nn.Sigmoid()]),
    "Tanh": ([Tanh()], [nn.Tanh()]),
    "LeakyRelu": ([LeakyRelu(0.2)], [nn.LeakyReLU(0.2)]),
    "Elu": ([Elu(1.5)], [nn.ELU(1.5)]),
    "Gelu": ([Gelu()], [nn.GELU()]),
    "Silu": ([Silu()], [nn.SiLU()]),
    "Softplus": ([Softplus()], [nn.Softplus(threshold=50)]),
    "LayerNorm": ([LayerNorm()], [nn.LayerNorm(UNITS)]),
    "BatchNorm": ([BatchNorm()], [nn.BatchNorm1d(UNITS)]),
    "BatchNorm of channels": (
        [Reshape([2, 18]), BatchNorm(0.8, 1e-3), Flatten()],
        [nn.Unflatten(1, (2, 18)), nn.BatchNorm1d(2, momentum=0.2, eps=1e-3), nn.Flatten()],
    ),
    "Conv2d": (
        [Reshape([1, 6, 6]), Conv2d(4, 3), Tanh(), Conv2d(9, 2, stride=2, padding=2), Flatten(), Affine(UNITS)],
        [
            nn.Unflatten(1, (1, 6, 6)),
            nn.Conv2d(1, 4, 3),
            nn.Tanh(),
            nn.Conv2d(4, 9, 2, stride=2, padding=2),
            nn.Flatten(),
            nn.Linear(9 * 16, UNITS),
        ],
    ),
    "MaxPool2d": (
        [Reshape([1, 6, 6]), MaxPool2d(3, stride=1), MaxPool2d(), Flatten()],
        [nn.Unflatten(1, (1, 6, 6)), nn.MaxPool2d(3, stride=1), nn.MaxPool2d(2), nn.Flatten()],
    ),
    "AveragePool2d": (
        [Reshape([1, 6, 6]), AveragePool2d(3, stride=1), AveragePool2d(), Flatten()],
        [nn.Unflatten(1, (1, 6, 6)), nn.AvgPool2d(3, stride=1), nn.AvgPool2d(2), nn.Flatten()],
    ),
}
WIDTHS = {"MaxPool2d": 4, "AveragePool2d": 4}
LOSSES = {
    "SoftmaxWithLoss": (SoftmaxWithLoss(), nn.CrossEntropyLoss(), "classes"),
    "SoftmaxWithLoss, smoothed": (
        SoftmaxWithLoss(label_smoothing=0.1),
        nn.CrossEntropyLoss(label_smoothing=0.1),
        "classes",
    ),
    "SoftmaxWithLoss, weighted and smoothed": (
        SoftmaxWithLoss(label_smoothing=0.2, class_weights=[1, 0.5, 3]),
        nn.CrossEntropyLoss(label_smoothing=0.2, weight=torch.tensor([1, 0.5, 3], dtype=torch.float64)),
        "classes",
    ),
    "SigmoidWithLoss": (SigmoidWithLoss(), nn.BCEWithLogitsLoss(), "labels"),
    "MeanSquaredError": (MeanSquaredError(), nn.MSELoss(), "values"),
    "MeanAbsoluteError": (MeanAbsoluteError(), nn.L1Loss(), "values"),
    "Huber": (Huber(0.5), nn.HuberLoss(delta=0.5), "values"),
}


@pytest.fixture(autouse=True)
def one_thread():
    """Spare PyTorch the threads that arrays this small only wait for."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def minibatch(step, target="classes"):
    rng = np.random.default_rng(step)
    t = {
        "classes": rng.integers(0, OUTPUTS, ROWS),
        "labels": rng.integers(0, 2, (ROWS, OUTPUTS)).astype(np.float64),
        "values": rng.normal(size=(ROWS, OUTPUTS)),
    }[target]
    return rng.normal(size=(ROWS, FEATURES)), t


def train_both(ours, loss, theirs, their_loss, target, width=UNITS):
    """Take the same steps of gradient descent, and return our network and theirs."""
    network = Sequential([Affine(UNITS), *ours, Affine(OUTPUTS), loss], (FEATURES,), dtype="float64")
    model = nn.Sequential(nn.Linear(FEATURES, UNITS), *theirs, nn.Linear(width, OUTPUTS)).double()
    with torch.no_grad():
        for path, parameter in counterparts(network, model).items():
            parameter.copy_(torch.from_numpy(oriented(path, network.parameters[path])).reshape(parameter.shape))
    network.set_training(True)
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    for step in range(STEPS):
        x, t = minibatch(step, target)
        value = network.loss_and_gradient(x, t)
        network.values -= LEARNING_RATE * network.gradient_values
        optimizer.zero_grad()
        their_value = their_loss(model(torch.from_numpy(x)), torch.from_numpy(t))
        their_value.backward()
        optimizer.step()
        assert value == pytest.approx(their_value.item(), rel=1e-6, abs=1e-6)
    return network, model


def counterparts(network, model):
    """Return their parameter for the name of each of ours."""
    modules = [module for module in model if list(module.parameters())]
    layers = dict.fromkeys(path.partition(".")[0] for path in network.parameters)
    own = dict(zip(layers, modules, strict=True))
    return {path: getattr(own[path.partition(".")[0]], NAMES[path.rpartition(".")[2]]) for path in network.parameters}


def oriented(path, array):
    """Return an array as PyTorch keeps it: weights of an affine layer have a row for each output."""
    return np.ascontiguousarray(array.T if path.startswith("Affine") and path.endswith(".W") else array)


def expect_agreement(network, model):
    for path, parameter in counterparts(network, model).items():
        expected = parameter.detach().numpy()
        found = oriented(path, network.parameters[path]).reshape(expected.shape)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    x, _ = minibatch(STEPS)
    network.set_training(False)
    model.eval()
    found = network.replicas[0].forward(x)
    np.testing.assert_allclose(found, model(torch.from_numpy(x)).detach().numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    ours, theirs = LAYERS[name]
    network, model = train_both(
        ours, SoftmaxWithLoss(), theirs, nn.CrossEntropyLoss(), "classes", WIDTHS.get(name, UNITS)
    )
    expect_agreement(network, model)
    for path, state in network.states.items():
        (module,) = [module for module in theirs if hasattr(module, "running_mean")]
        expected = getattr(module, STATES[path.rpartition(".")[2]]).numpy()
        np.testing.assert_allclose(state, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    loss, their_loss, target = LOSSES[name]
    expect_agreement(*train_both([Tanh()], loss, [nn.Tanh()], their_loss, target))
