"""Examples as rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from mlpkit import Array, Graph, Layer, Value
from mlpkit_plugins.kernels import flatten_images

IMAGES = 4
"""Axes of a minibatch of images; pooling leaves them in an order in memory that is slow to change."""


class Flatten(Layer):
    """Turns each example into one row of features, the last axis fastest.

        y[row, (i b + j) c + k] = x[row, i, j, k]  (for x of shape (rows, a, b, c); the same for other axes)
        dx = dy in the shape of x

    Shapes: x of any shape, y (rows, features), where features is the product of all axes but the first.

    Source: Knuth, The Art of Computer Programming, volume 1 (third edition, 1997), section 2.2.6, for the order.
    """

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Declare nothing; there are as many outputs as inputs."""
        self.features = prod(input_shape)
        return (self.features,)

    def forward(self, x: Array) -> Array:
        """Return x as rows of features."""
        self.shape = x.shape
        if x.ndim != IMAGES or x.flags.c_contiguous:
            return x.reshape(len(x), self.features)
        return flatten_images(x, self.buffer("y", (len(x), self.features), x.dtype))

    def prediction_plan(self, x: Array) -> Callable[[], Array]:
        """Return a function that copies x again, or returns the same view of it."""
        y = self.forward(x)
        return (lambda: y) if np.may_share_memory(x, y) else partial(flatten_images, x, y)

    def backward(self, dy: Array) -> Array:
        """Return dy in the shape of x."""
        return dy.reshape(self.shape)

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        return graph.op("Flatten", graph.input, axis=1)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on an image, and on features, which don't change."""
        return [({}, (2, 3)), ({}, (4,))]
