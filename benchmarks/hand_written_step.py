"""The step of a three-layer network as a good NumPy programmer would write it out by hand.

No class of mlpkit is used: ``step.py`` compares mlpkit with this.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWN_TOGETHER = 64
FEATURES, CLASSES = 784, 10


class HandWrittenStep:
    """Trains 784-H-H-10 with Relu, softmax with cross-entropy and plain gradient descent.

    The parameters W1, b1, W2, b2, W3, b3 share one flat array of their dtype, and all gradients another. Every
    intermediate result has an array of its own, reused at each step. Images are uint8, shape (examples, 784); a
    minibatch has ``rows`` of them.
    """

    def __init__(
        self,
        images: NDArray[Any],
        labels: NDArray[Any],
        parameters: list[NDArray[Any]],
        rows: int,
        learning_rate: float,
    ) -> None:
        self.images, self.labels = images, labels
        self.values = np.concatenate([array.ravel() for array in parameters])
        self.learning_rate = self.values.dtype.type(learning_rate)
        self.gradient = np.zeros_like(self.values)
        shapes = [array.shape for array in parameters]
        self.W1, self.b1, self.W2, self.b2, self.W3, self.b3 = views(self.values, shapes)
        self.dW1, self.db1, self.dW2, self.db2, self.dW3, self.db3 = views(self.gradient, shapes)

        dtype = self.values.dtype
        self.draw = np.random.default_rng(0)
        self.pixels = np.empty((rows, FEATURES), np.uint8)
        self.x = np.empty((rows, FEATURES), dtype)
        self.h1, self.h2, self.dh1, self.dh2, self.zeros = np.zeros((5, rows, len(self.b1)), dtype)
        self.positive = np.empty((rows, len(self.b1)), bool)
        self.logits = np.empty((rows, CLASSES), dtype)
        self.p = np.empty((CLASSES, rows), dtype)  # transposed: sums over classes run along memory
        self.dlogits = np.empty((rows, CLASSES), dtype)
        self.largest, self.total = np.empty((2, rows), dtype)
        self.ones = np.ones(rows, dtype)
        self.scale = dtype.type(1 / 255)
        self.columns = np.arange(rows)

    def train(self, steps: int) -> float:
        """Take ``steps`` steps on random minibatches, drawn with replacement, and return the last loss."""
        loss, rows = 0.0, len(self.x)
        for i in range(steps):
            position = i % DRAWN_TOGETHER
            if position == 0:
                drawn = self.draw.integers(len(self.images), size=(DRAWN_TOGETHER, rows))
            loss = self.step(drawn[position])
            if not math.isfinite(loss):
                msg = f"the loss of step {i} is {loss}"
                raise ArithmeticError(msg)
            self.update()
        return loss

    def step(self, indices: NDArray[np.int64]) -> float:
        """Return the mean loss of the examples at ``indices``, and leave its gradient in ``gradient``."""
        x, h1, h2, logits, p, zeros = self.x, self.h1, self.h2, self.logits, self.p, self.zeros
        self.images.take(indices, axis=0, out=self.pixels, mode="clip")
        np.copyto(x, self.pixels)
        np.multiply(x, self.scale, out=x)

        np.matmul(x, self.W1, out=h1)
        np.add(h1, self.b1, out=h1)
        np.maximum(h1, zeros, out=h1)
        np.matmul(h1, self.W2, out=h2)
        np.add(h2, self.b2, out=h2)
        np.maximum(h2, zeros, out=h2)
        np.matmul(h2, self.W3, out=logits)
        np.add(logits, self.b3, out=logits)

        rows = len(x)
        np.copyto(p, logits.T)
        np.maximum.reduce(p, axis=0, out=self.largest)
        np.subtract(p, self.largest, out=p)
        at_target = self.labels.take(indices)
        at_target *= rows
        at_target += self.columns
        entries = p.reshape(-1)
        shifted = entries.take(at_target)
        np.exp(p, out=p)
        np.add.reduce(p, axis=0, out=self.total)
        np.divide(p, self.total, out=p)
        np.log(self.total, out=self.total)
        loss = float(np.add.reduce(np.subtract(self.total, shifted, dtype=np.float64))) / rows

        entries[at_target] -= 1
        np.multiply(p, p.dtype.type(1 / rows), out=p)
        np.copyto(self.dlogits, p.T)
        self.affine_backward(h2, self.dlogits, self.dW3, self.db3)
        np.matmul(self.dlogits, self.W3.T, out=self.dh2)
        self.relu_backward(h2, self.dh2)
        self.affine_backward(h1, self.dh2, self.dW2, self.db2)
        np.matmul(self.dh2, self.W2.T, out=self.dh1)
        self.relu_backward(h1, self.dh1)
        self.affine_backward(x, self.dh1, self.dW1, self.db1)
        return loss

    def affine_backward(self, x: NDArray[Any], dy: NDArray[Any], dW: NDArray[Any], db: NDArray[Any]) -> None:
        """Set dW = xᵀ dy and db = Σ dy."""
        np.matmul(x.T, dy, out=dW)
        np.matmul(self.ones, dy, out=db)

    def relu_backward(self, y: NDArray[Any], dy: NDArray[Any]) -> None:
        """Set dy to zero where y is."""
        np.greater(y, self.zeros, out=self.positive)
        np.multiply(dy, self.positive, out=dy)

    def update(self) -> None:
        """Move every parameter down its gradient."""
        np.multiply(self.gradient, self.learning_rate, out=self.gradient)
        np.subtract(self.values, self.gradient, out=self.values)


def views(flat: NDArray[Any], shapes: list[tuple[int, ...]]) -> list[NDArray[Any]]:
    """Return consecutive views of a flat array with these shapes."""
    edges = np.cumsum([0, *(math.prod(shape) for shape in shapes)])
    return [flat[edges[i] : edges[i + 1]].reshape(shape) for i, shape in enumerate(shapes)]
