"""The limit: the matrix products of a step and nothing else."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from contestants.task import Task


class MatrixProducts:
    """Computes y = x W of each layer, then dW = xᵀ dy of each and dx = dy Wᵀ of all but the first, in reused arrays.

    All numbers are normally distributed. ``multiply`` sets its third argument to the product of the others; ``empty``
    gives memory for an array, by default contiguous.
    """

    def __init__(
        self, task: Task, multiply: Callable[..., Any] = np.matmul, empty: Callable[..., NDArray[Any]] = np.empty
    ) -> None:
        self.multiply = multiply
        draw = np.random.default_rng(0)

        def array(*shape: int) -> NDArray[np.float32]:
            numbers = empty(shape, np.float32)
            numbers[...] = draw.standard_normal(shape, np.float32)
            return numbers

        rows, widths = task.batch_size, task.widths
        self.x = [array(rows, width) for width in widths[:-1]]
        self.W = [array(*shape) for shape in pairwise(widths)]
        self.dW = [array(*W.shape) for W in self.W]
        self.y = [array(rows, width) for width in widths[1:]]
        self.dy = [array(rows, width) for width in widths[1:]]
        self.dx = [array(rows, width) for width in widths[:-1]]

    def train(self, minibatches: NDArray[np.int64]) -> None:
        """Compute the products of as many steps as there are minibatches."""
        forward = list(zip(self.x, self.W, self.y, strict=True))
        transposed = [(x.T, W.T) for x, W in zip(self.x, self.W, strict=True)]
        backward = list(zip(transposed, self.dy, self.dW, self.dx, strict=True))[::-1]
        multiply = self.multiply
        for _ in range(len(minibatches)):
            for x, W, y in forward:
                multiply(x, W, y)
            for i, ((xT, WT), dy, dW, dx) in enumerate(backward, start=1):
                multiply(xT, dy, dW)
                if i < len(backward):
                    multiply(dy, WT, dx)
