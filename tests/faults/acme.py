"""The plugin of these tests: components with state of every kind, which halt or are slow if a test asks for it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from mlpkit import Augmentation, Callback, Classes, Dataset, Description, Layer, Metric, component, hookimpl

FEATURES, CLASSES = 6, 4
SIZES = {"train": 203, "validation": 40, "test": 30}


class Halt:
    """Asks a run to stop after a step, from within; set by tests in the same process."""

    at: int | None = None
    stop: Any = None


def dawdle(phase: str) -> None:
    """Say once that a phase has begun, and stay in it, if the environment asks for that."""
    wanted, _, seconds = os.environ.get("ACME_DAWDLE", "").partition(":")
    if phase == wanted:
        os.environ["ACME_DAWDLE"] = ""
        print(phase, file=sys.stderr, flush=True)  # noqa: T201 - the test waits for it
        time.sleep(float(seconds))


def dawdle_while_writing() -> None:
    """Stay in the first flush of a checkpoint to the disk, if the environment asks for that."""
    real = os.fsync

    def fsync(descriptor: int) -> None:
        written = [path.stat() for path in Path().glob("*/checkpoints/*.tmp")]
        if any(os.path.samestat(os.fstat(descriptor), file) for file in written):
            dawdle("write")
        real(descriptor)

    if os.environ.get("ACME_DAWDLE", "").startswith("write:"):
        os.fsync = fsync


class BlobSplit:
    """Points around the centres of their classes."""

    def __init__(self, name: str) -> None:
        rng = np.random.default_rng(list(SIZES).index(name))
        self.t = rng.integers(CLASSES, size=SIZES[name])
        self.x = rng.normal(size=(SIZES[name], FEATURES)) + 2 * np.eye(CLASSES, FEATURES)[self.t]

    def __len__(self) -> int:
        return len(self.x)

    def take(self, indices: Any, out: Any) -> None:
        out[0][:] = self.x[indices]
        out[1][:] = self.t[indices]


class Blobs(Dataset):
    """Points around the centres of their classes."""

    def describe(self) -> Description:
        return Description((FEATURES,), Classes(CLASSES), SIZES)

    def open(self, seed: int) -> dict[str, BlobSplit]:
        dawdle("load")
        return {name: BlobSplit(name) for name in SIZES}

    def fingerprint(self) -> str:
        return os.environ.get("ACME_DATA", "blobs")


class Restless(Layer):
    """Drops features at random, and subtracts a running mean."""

    def build(self, input_shape):
        self.mean = self.state("mean", input_shape, 0.0)
        return input_shape

    def forward(self, x):
        if not self.training:
            return x - self.mean.value
        dawdle("forward")
        self.mean.value *= 0.9
        self.mean.value += 0.1 * x.mean(axis=0)
        self.kept = (self.rng.random(x.shape) < 0.8).astype(x.dtype)
        return (x - self.mean.value) * self.kept

    def backward(self, dy):
        dawdle("backward")
        return dy * self.kept


class Jitter(Augmentation):
    """Adds noise."""

    def __call__(self, x, rng, out):
        np.add(x, rng.normal(scale=0.1, size=x.shape), out=out, casting="same_kind")
        return out


class Remembering(Callback):
    """Keeps the lowest loss, a moving average of the weights, and the sum of losses, which may end training."""

    def __init__(self, most: float = 1e9) -> None:
        self.most = most
        self.lowest = float("inf")
        self.waited = 0
        self.last = (0, None)
        self.average: Any = None
        self.total = np.float32(0)

    def on_step(self, training, loss):
        weights = training.parameters["Affine1.W"]
        self.average = weights.copy() if self.average is None else 0.9 * self.average + 0.1 * weights
        self.total = np.float32(self.total + np.float32(loss))
        self.last = (training.progress.step, loss)
        if self.total > self.most:
            training.stop(f"enough at {self.last!r}: {self.lowest!r}, {float(np.abs(self.average).sum())!r}")
        if training.progress.step == Halt.at:
            Halt.stop.stop("SIGINT")

    def on_evaluation(self, training, record):
        loss = record["validation_loss"]
        self.lowest, self.waited = (loss, 0) if loss < self.lowest else (self.lowest, self.waited + 1)

    def state(self):
        dawdle("save")
        return {
            "lowest": self.lowest,
            "waited": self.waited,
            "last": self.last,
            "average": self.average,
            "total": self.total,
        }

    def load_state(self, state):
        self.__dict__.update(state)


class MeanError(Metric):
    """Share of the probability that the right class doesn't get."""

    higher_is_better = False

    def __init__(self) -> None:
        self.total, self.rows = 0.0, 0

    def update(self, prediction, t):
        dawdle("evaluate")
        self.total += float((1 - prediction[np.arange(len(t)), t]).sum(dtype=np.float64))
        self.rows += len(t)

    def merge(self, other):
        self.total, self.rows = self.total + other.total, self.rows + other.rows

    def result(self):
        return self.total / self.rows


dawdle_while_writing()


@hookimpl
def mlpkit_components():
    return [
        component("dataset", "blobs", Blobs),
        component("layer", "Restless", Restless),
        component("augmentation", "jitter", Jitter),
        component("callback", "remembering", Remembering),
        component("metric", "mean_error", MeanError),
    ]
