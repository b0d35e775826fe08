"""The training loop of a typical notebook, which mlpkit's main spec replaces.

    python benchmarks/notebook_loop.py FOLDER [--steps 10000]

Weights in float64, new arrays at every operation, the loss computed a second time after each step. The folder holds
MNIST's arrays, as ``mnist_arrays.py`` writes them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mnist_arrays import read_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

HIDDEN, CLASSES = 50, 10
BATCH_SIZE, LEARNING_RATE, PRINT_EVERY = 1000, 0.1, 500


class Affine:
    """y = x W + b."""

    def __init__(self, W: NDArray[Any], b: NDArray[Any]) -> None:
        self.W, self.b = W, b

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y."""
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Set dW and db, and return dx."""
        self.dW = np.dot(self.x.T, dy)
        self.db = np.sum(dy, axis=0)
        return np.dot(dy, self.W.T)


class Relu:
    """y = max(x, 0)."""

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y."""
        self.mask = x <= 0
        y = x.copy()
        y[self.mask] = 0
        return y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx."""
        dy[self.mask] = 0
        return dy


class SoftmaxWithLoss:
    """The mean cross-entropy of softmax(x)."""

    def forward(self, x: NDArray[Any], t: NDArray[Any]) -> float:
        """Return the loss."""
        exponentials = np.exp(x - np.max(x, axis=1, keepdims=True))
        self.y, self.t = exponentials / np.sum(exponentials, axis=1, keepdims=True), t
        return float(-np.sum(np.log(self.y[np.arange(len(t)), t] + 1e-7)) / len(t))

    def backward(self) -> NDArray[Any]:
        """Return dx."""
        dx = self.y.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx / len(self.t)


class ThreeLayerNet:
    """784-50-50-10 with Relu between."""

    def __init__(self) -> None:
        self.affines = [
            Affine(0.01 * np.random.randn(rows, columns), np.zeros(columns))
            for rows, columns in ((784, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, CLASSES))
        ]
        first, second, third = self.affines
        self.layers: list[Affine | Relu] = [first, Relu(), second, Relu(), third]
        self.last = SoftmaxWithLoss()

    def predict(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the scores of each class."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def loss(self, x: NDArray[Any], t: NDArray[Any]) -> float:
        """Return the mean loss."""
        return self.last.forward(self.predict(x), t)

    def accuracy(self, x: NDArray[Any], t: NDArray[Any]) -> float:
        """Return the share of examples whose class is found."""
        return float(np.sum(np.argmax(self.predict(x), axis=1) == t) / len(t))

    def compute_gradient(self, x: NDArray[Any], t: NDArray[Any]) -> None:
        """Leave the gradient of the loss in the layers."""
        self.loss(x, t)
        dy = self.last.backward()
        for layer in reversed(self.layers):
            dy = layer.backward(dy)


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of MNIST's arrays")
    parser.add_argument("--steps", type=int, default=10_000)
    options = parser.parse_args()
    (train_images, t_train), (test_images, t_test) = (read_arrays(options.folder, name) for name in ("train", "test"))
    x_train, x_test = (images.astype(np.float32) / 255 for images in (train_images, test_images))
    network = ThreeLayerNet()
    losses = []
    for step in range(1, options.steps + 1):
        rows = np.random.choice(len(x_train), BATCH_SIZE)
        x, t = x_train[rows], t_train[rows]
        network.compute_gradient(x, t)
        for affine in network.affines:
            affine.W -= LEARNING_RATE * affine.dW
            affine.b -= LEARNING_RATE * affine.db
        losses.append(network.loss(x, t))
        if step % PRINT_EVERY == 0:
            print(step, losses[-1], network.accuracy(x_train, t_train), network.accuracy(x_test, t_test))


if __name__ == "__main__":
    main()
