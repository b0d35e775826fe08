"""What the tests of agreement share: PyTorch on one thread, what is built in, and the same steps on both sides."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Sequential
from mlpkit.registry.registry import Registry
from mlpkit_plugins.layers.affine import Affine

FEATURES, UNITS, OUTPUTS, ROWS, STEPS = 5, 36, 3, 8, 100
LEARNING_RATE = 0.1

NAMES = {
    "W": "weight",
    "b": "bias",
    "gamma": "weight",
    "beta": "bias",
    "s": "weight",
    "slope": "weight",
    "alpha": "alpha",
}
STATES = {"running_mean": "running_mean", "running_variance": "running_var"}


@pytest.fixture(scope="session")
def built_ins():
    """Return a function that returns the names of the built-in components of a kind."""
    registry = Registry.discover()

    def names(kind):
        return {entry.name for entry in registry.components((kind,)) if "." not in entry.name}

    return names


@pytest.fixture
def torch():
    """Return PyTorch, on one thread: arrays this small would only wait for more."""
    module = pytest.importorskip("torch")
    before = module.get_num_threads()
    module.set_num_threads(1)
    yield module
    module.set_num_threads(before)


def minibatch(step, target="classes"):
    rng = np.random.default_rng(step)
    t = {
        "classes": lambda: rng.integers(0, OUTPUTS, ROWS),
        "two classes": lambda: rng.integers(0, 2, ROWS),
        "labels": lambda: rng.integers(0, 2, (ROWS, OUTPUTS)).astype(np.float64),
        "values": lambda: rng.normal(size=(ROWS, OUTPUTS)),
        "counts": lambda: rng.poisson(2, (ROWS, OUTPUTS)).astype(np.float64),
    }[target]()
    return rng.normal(size=(ROWS, FEATURES)), t


class Pair:
    """Our network and theirs, begun from the same parameters.

    Args:
        ours: our layers, between two affine ones.
        loss: our loss.
        theirs: their modules for the same layers.
        width: units that their last affine layer takes.
        outputs: units of the last affine layer.
    """

    def __init__(self, torch, ours, loss, theirs, *, width=UNITS, outputs=OUTPUTS, slices=1):
        nn, self.torch = torch.nn, torch
        self.network = Sequential(
            [Affine(UNITS), *ours, Affine(outputs), loss], (FEATURES,), dtype="float64", slices=slices
        )
        self.model = nn.Sequential(nn.Linear(FEATURES, UNITS), *theirs, nn.Linear(width, outputs)).double()
        with torch.no_grad():
            for path, parameter in self.counterparts().items():
                parameter.copy_(
                    torch.from_numpy(oriented(path, self.network.parameters[path])).reshape(parameter.shape)
                )
        self.network.set_training(True)

    def counterparts(self):
        """Return their parameter for the name of each of ours."""
        modules = [module for module in self.model.modules() if list(module.parameters(recurse=False))]
        layers = dict.fromkeys(path.rpartition(".")[0] for path in self.network.parameters)
        own = dict(zip(layers, modules, strict=True))
        names = {path: path.rpartition(".") for path in self.network.parameters}
        return {path: getattr(own[layer], NAMES[name]) for path, (layer, _, name) in names.items()}

    def train(self, their_loss, target="classes", *, optimizer=None, step=None):
        """Take the same steps, by default of gradient descent, and expect the same losses.

        Args:
            their_loss: their loss, of outputs and targets.
            target: what the targets are.
            optimizer: makes their optimizer, from parameters.
            step: takes our step, from its number, counted from 1.
        """
        make = optimizer or (lambda parameters: self.torch.optim.SGD(parameters, lr=LEARNING_RATE))
        theirs = make(list(self.model.parameters()))
        for number in range(STEPS):
            x, t = minibatch(number, target)
            value = self.network.loss_and_gradient(x, t, number)
            theirs.zero_grad()
            their_value = their_loss(self.model(self.torch.from_numpy(x)), self.torch.from_numpy(t))
            their_value.backward()
            theirs.step()
            if step is None:
                self.network.values -= LEARNING_RATE * self.network.gradient_values
            else:
                step(number + 1)
            assert value == pytest.approx(their_value.item(), rel=1e-6, abs=1e-6)

    def expect_agreement(self):
        """Expect the same parameters, state and outputs."""
        for path, parameter in self.counterparts().items():
            expected = parameter.detach().numpy()
            found = oriented(path, self.network.parameters[path]).reshape(expected.shape)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
        for path, state in self.network.states.items():
            (module,) = [module for module in self.model.modules() if hasattr(module, "running_mean")]
            expected = getattr(module, STATES[path.rpartition(".")[2]]).numpy()
            np.testing.assert_allclose(state, expected, rtol=1e-6, atol=1e-6)
        x, _ = minibatch(STEPS)
        self.network.set_training(False)
        self.model.eval()
        found = self.network.replicas[0].forward(x)
        np.testing.assert_allclose(found, self.model(self.torch.from_numpy(x)).detach().numpy(), rtol=1e-6, atol=1e-6)


def oriented(path, array):
    """Return an array as PyTorch keeps it: weights of an affine layer have a row for each output."""
    affine = path.rpartition(".")[0].rpartition(".")[2].startswith(("Affine", "DropConnect"))
    return np.ascontiguousarray(array.T if affine and path.endswith(".W") else array)


@pytest.fixture
def pair(torch):
    """Return a function that makes the two networks."""
    return lambda *stack, **sizes: Pair(torch, *stack, **sizes)
