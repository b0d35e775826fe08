"""What every contestant trains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES, CLASSES = 784, 10
LEARNING_RATES = {"sgd": 0.1, "adam": 0.001}
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's own, the same for all."""


@dataclass(frozen=True)
class Task:
    """A network of affine layers with Relu between them, softmax with cross-entropy at its end, and its optimizer.

    Args:
        hidden: units of each hidden layer.
        batch_size: examples of a minibatch.
        optimizer: ``sgd`` or ``adam``.
    """

    hidden: tuple[int, ...]
    batch_size: int
    optimizer: str

    @property
    def widths(self) -> tuple[int, ...]:
        """Features of the input, units of each hidden layer, classes."""
        return (FEATURES, *self.hidden, CLASSES)

    @property
    def learning_rate(self) -> float:
        """The step length."""
        return LEARNING_RATES[self.optimizer]

    @property
    def flops(self) -> int:
        """Floating-point operations of a step's matrix products; the input needs no gradient."""
        weights = [a * b for a, b in pairwise(self.widths)]
        return 2 * self.batch_size * (3 * sum(weights) - weights[0])

    def first_parameters(self) -> list[NDArray[np.float32]]:
        """Return first values: W and b of each affine layer, W normal with variance 2 / rows, b zero."""
        draw = np.random.default_rng(0)
        parameters: list[NDArray[np.float32]] = []
        for rows, columns in pairwise(self.widths):
            parameters.append(draw.normal(0, math.sqrt(2 / rows), (rows, columns)).astype(np.float32))
            parameters.append(np.zeros(columns, np.float32))
        return parameters
