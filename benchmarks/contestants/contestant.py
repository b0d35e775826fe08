"""The interface of contestants, and the timing of their steps."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from contestants.task import Task

Arrays = list[NDArray[np.float32]]

COMPILING_STEPS = 3
"""Steps before the warm-up, in which compilers compile."""
TURN = 0.1
"""Seconds of a turn, whose mean is one measurement: as long as mlpkit's time between two reports."""


class Contestant(ABC):
    """Trains the network of a task on MNIST.

    Images are uint8, shape (examples, 784); their pixels count as x = image / 255. The first parameters are W and b of
    each layer; W has the shape (filters, channels · 25) in a convolution, and (features, units) in an affine layer.
    """

    @abstractmethod
    def __init__(
        self, task: Task, images: NDArray[np.uint8], labels: NDArray[np.int64], parameters: Arrays
    ) -> None: ...

    @abstractmethod
    def train(self, minibatches: NDArray[np.int64]) -> None:
        """Take a step on each minibatch of positions, shape (steps, batch size), and check each loss."""

    @abstractmethod
    def parameters(self) -> list[NDArray[np.float32]]:
        """Return the parameters as they are, in the shapes of the first ones."""

    @abstractmethod
    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability of each class, shape (rows, 10), for pixels from 0 to 1, shape (rows, 784)."""


def check_loss(loss: float) -> None:
    """Raise an error if a loss is not finite."""
    if not math.isfinite(loss):
        msg = f"the loss is {loss}"
        raise ArithmeticError(msg)


def step_times(contestant: Any, *, examples: int, batch_size: int, warm_up: float, seconds: float) -> list[float]:
    """Return the mean seconds of a step in each turn, minibatches drawn at random with replacement.

    Turns begin after the warm-up and take ``seconds`` together; there is one turn at least.
    """
    draw = np.random.default_rng(1)

    def turn(steps: int) -> float:
        began = time.perf_counter()
        contestant.train(draw.integers(examples, size=(steps, batch_size)))
        return time.perf_counter() - began

    turn(COMPILING_STEPS)
    began = time.perf_counter()
    steps = 1
    while (took := turn(steps)) < TURN:
        steps = math.ceil(steps * min(4.0, 1.1 * TURN / took))
    while time.perf_counter() - began < warm_up:
        turn(steps)
    began = time.perf_counter()
    times = [turn(steps) / steps]
    while time.perf_counter() - began < seconds:
        times.append(turn(steps) / steps)
    return times
