"""What the tests of training share: a toy data set, and components that record what training does to them."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from training_section import section_of

from mlpkit import (
    Augmentation,
    Callback,
    Classes,
    Dataset,
    Description,
    Layer,
    Optimizer,
    Schedule,
    Sequential,
)
from mlpkit.training.loop import Trainer
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.metrics.accuracy import Accuracy
from mlpkit_plugins.optimizers.sgd import Sgd

if TYPE_CHECKING:
    from collections.abc import Callable

FEATURES, CLASSES = 3, 4


class ToySplit:
    """Examples whose first feature is their own number, so that a test can see which were taken."""

    def __init__(self, examples: int, first: int) -> None:
        generator = np.random.default_rng(first)
        self.x = generator.normal(size=(examples, FEATURES))
        self.x[:, 0] = first + np.arange(examples)
        self.t = generator.integers(CLASSES, size=examples)

    def __len__(self) -> int:
        return len(self.x)

    def take(self, indices: Any, out: Any) -> None:
        out[0][:] = self.x[indices]
        out[1][:] = self.t[indices]


class Toy(Dataset):
    """Random examples."""

    def __init__(self, train: int = 20, validation: int = 6, test: int = 5) -> None:
        self.sizes = {"train": train, "validation": validation, "test": test}

    def describe(self) -> Description:
        sizes = {name: size for name, size in self.sizes.items() if size}
        return Description((FEATURES,), Classes(CLASSES), sizes)

    def open(self, seed: int) -> dict[str, ToySplit]:
        first = {"train": 0, "validation": 1000, "test": 2000}
        return {name: ToySplit(size, first[name]) for name, size in self.sizes.items() if size}


class Recorder(Layer):
    """Hands on its inputs, and remembers which examples came, and in which mode."""

    def __init__(self) -> None:
        self.seen: list[tuple[bool, list[int]]] = []

    def forward(self, x: Any) -> Any:
        self.seen.append((self.training, x[:, 0].astype(int).tolist()))
        return x * np.asarray(0.01, x.dtype)

    def backward(self, dy: Any) -> Any:
        return dy


class RecordingOptimizer(Optimizer):
    """Changes nothing, and remembers what it was called with."""

    slots = ("m", "v")

    def __init__(self) -> None:
        self.learning_rate = 0.5
        self.calls: list[dict[str, Any]] = []

    def update(self, value, gradient, slots, step):
        address = value.__array_interface__["data"][0]
        self.calls.append(
            {
                "address": address,
                "size": value.size,
                "itemsize": value.itemsize,
                "gradient": gradient.size,
                "slots": {name: slot.size for name, slot in slots.items()},
                "learning_rate": step.learning_rate,
                "step": step.number,
                "decay": step.decay,
            }
        )


class RecordingCallback(Callback):
    """Remembers events, and may stop at a step."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at = stop_at
        self.events: list[Any] = []

    def on_start(self, training):
        self.events.append(("start", training.progress.step))

    def on_step(self, training, loss):
        self.events.append(("step", training.progress.step, loss))
        if training.progress.step == self.stop_at:
            training.stop("enough")

    def on_evaluation(self, training, record):
        self.events.append(("evaluation", training.progress.step, record))

    def on_end(self, training):
        self.events.append(("end", training.progress.step))


class Shift(Augmentation):
    """Adds random numbers to all features but the first."""

    def __call__(self, x: Any, rng: np.random.Generator, out: Any) -> Any:
        np.copyto(out, x)
        out[:, 1:] += rng.normal(size=out[:, 1:].shape)
        return out


class Halving(Schedule):
    """Half at each step; remembers its arguments."""

    def __init__(self) -> None:
        self.told: list[tuple[int, float, int]] = []

    def __call__(self, progress: Any) -> float:
        self.told.append((progress.step, progress.epoch, progress.total_steps))
        return 0.5**progress.step


@pytest.fixture
def toy() -> Any:
    """The classes that tests build from."""
    names = (ToySplit, Toy, Recorder, RecordingOptimizer, RecordingCallback, Shift, Halving)
    return type("toy", (), {cls.__name__: cls for cls in names})


@pytest.fixture
def make_trainer() -> Callable[..., Trainer]:
    """Return a function that puts a trainer together from what a test cares about."""

    def make(
        *layers: Layer,
        dataset: Toy | None = None,
        optimizer: Optimizer | None = None,
        seed: int = 0,
        slices: int = 1,
        loss: Any = None,
        dtype: str = "float64",
        **given: Any,
    ) -> Trainer:
        dataset = dataset or Toy()
        stack = [*layers, Affine(CLASSES), loss or SoftmaxWithLoss()]
        network = Sequential(stack, (FEATURES,), seed=seed, dtype=dtype, slices=slices)
        keywords = {key: given.pop(key) for key in signature(Trainer).parameters if key in given}
        keys = {"batch_size": 5, "iterations": 8, "metrics": {"accuracy": Accuracy}} | given
        section = section_of(optimizer or Sgd(0.1), **keys)
        return Trainer(network, dataset.open(seed), dataset.describe(), section, **keywords)

    return make
