"""Test doubles, used with the component under test in a short training; a plugin that users' specs never name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Description
from mlpkit.components.hook import ComponentDeclaration, component, hookimpl
from mlpkit.components.input_columns import InputColumn
from mlpkit.components.layer import Layer
from mlpkit.components.loss import Loss
from mlpkit.components.operation import Shape
from mlpkit.components.optimizer import Optimizer, Step
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.schedule import Rate
from mlpkit.components.target import Target, target_from_plain
from mlpkit.testing.outside_network import random_targets

NAMESPACE = __name__.rpartition(".")[2]
"""The namespace of the doubles in specs, which is the module's name, as for any plugin module."""

EXAMPLES = 20


class FakeDataset(Dataset):
    """Random examples.

    Args:
        input_shape: shape of one example.
        target: the kind of target, as plain data.
        columns: the columns that inputs come from, as plain data.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        target: dict[str, Any],
        columns: tuple[tuple[str, str, int, int], ...] = (),
    ) -> None:
        self.input_shape = input_shape
        self.columns = [InputColumn(*column) for column in columns]
        self.target = target_from_plain(target, Target.__subclasses__())
        self.target_types = (type(self.target),)

    def describe(self) -> Description:
        """Describe the data by its parameters."""
        sizes = {"train": EXAMPLES, "validation": EXAMPLES}
        return Description(self.input_shape, self.target, sizes, columns=self.columns)

    def open(self, seed: int) -> Mapping[str, FakeSplit]:
        """Draw the examples."""
        return {name: FakeSplit(self, keyed_generator(seed, name)) for name in ("train", "validation")}


class FakeSplit:
    """Random examples, in memory."""

    def __init__(self, dataset: FakeDataset, rng: np.random.Generator) -> None:
        self._x = rng.uniform(size=(EXAMPLES, *dataset.input_shape))
        self._t = random_targets(dataset.target, EXAMPLES, rng, negative=False)  # some losses need that

    def __len__(self) -> int:
        """Return the number of examples."""
        return EXAMPLES

    def take(self, indices: Array, out: tuple[Array, Array]) -> None:
        """Copy examples."""
        x, t = out
        x[...], t[...] = self._x[indices], self._t[indices]


class FakeLayer(Layer):
    """One factor for all inputs, y = w x."""

    def build(self, input_shape: Shape) -> Shape:
        """Declare w."""
        self.w = self.parameter("w", (1,), 1.0)
        return input_shape

    def forward(self, x: Array) -> Array:
        """Return y = w x."""
        self.x = x
        y: Array = np.multiply(x, self.w.value, out=np.empty_like(x))
        return y

    def backward(self, dy: Array) -> Array:
        """Set dw, and return dx."""
        self.w.grad[...] = (self.x * dy).sum()
        dx: Array = np.multiply(dy, self.w.value, out=dy)
        return dx


class FakeLoss(Loss):
    """Half the mean of the squared inputs, independent of the targets."""

    takes_weights = True

    def build(self, input_shape: Shape, target: Target | None) -> None:
        """Accept any inputs and targets."""

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return Σ w x² / 2 Σ w, with weights of 1 by default."""
        w = np.ones(len(x)) if weights is None else weights
        self.x, self.shares = x, (w / (w.sum() or 1.0)).reshape(-1, *(1 for _ in x.shape[1:]))
        return float((self.shares * np.square(x, dtype=np.float64)).sum()) / 2

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx = dloss w x / Σ w."""
        dx: Array = (dloss * self.shares * self.x).astype(self.x.dtype)
        return dx

    def interval_prediction(self, prediction: Array) -> Array:
        """Return the least and the greatest element of each row."""
        flat = prediction.reshape(len(prediction), -1)
        return np.stack([flat.min(axis=1), flat.max(axis=1)], axis=1)


class FakeOptimizer(Optimizer):
    """Gradient descent.

    Args:
        learning_rate: the step length.
    """

    def __init__(self, learning_rate: Rate = 0.01) -> None:
        self.learning_rate = learning_rate

    def update(
        self,
        value: Array,
        gradient: Array,
        slots: Mapping[str, Array],
        step: Step,
    ) -> None:
        """Take one step down the gradient."""
        value -= step.learning_rate * gradient


@hookimpl
def mlpkit_components() -> list[ComponentDeclaration]:
    """Return the test doubles."""
    return [
        component("dataset", "fake_dataset", FakeDataset),
        component("layer", "FakeLayer", FakeLayer),
        component("loss", "FakeLoss", FakeLoss),
        component("optimizer", "fake_optimizer", FakeOptimizer),
    ]
