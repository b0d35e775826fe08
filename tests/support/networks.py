"""Layers and stores of trainings that several tests build from."""

from __future__ import annotations

import copy
from typing import Any

from mlpkit import Layer


class Centred(Layer):
    """Subtracts the mean of the rows seen so far, kept as state."""

    def build(self, input_shape: Any) -> Any:
        self.mean = self.state("mean", input_shape, 0.5)
        return input_shape

    def forward(self, x: Any) -> Any:
        y = x - self.mean.value
        if self.training:
            self.mean.value += 0.25 * (x.mean(axis=0) - self.mean.value)
        return y

    def backward(self, dy: Any) -> Any:
        return dy


class Kept:
    """Keeps copies of the snapshots of a training."""

    def __init__(self) -> None:
        self.saved: list[Any] = []

    def save(self, snapshot: Any) -> None:
        self.saved.append(copy.deepcopy(snapshot))

    def raise_failure(self) -> None:
        pass
