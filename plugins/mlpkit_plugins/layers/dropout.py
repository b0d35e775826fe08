"""Dropout."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Lt

from mlpkit import Array, Graph, Layer, Rate, Value
from mlpkit_plugins.functions.random_words import random_words
from mlpkit_plugins.kernels import drop


class Dropout(Layer):
    """Sets elements to zero at random in training, and scales the rest up to keep the mean; does nothing in evaluation.

        y  = x m / (1 - rate),  each element of m is 0 with probability rate, else 1
        dx = dy m / (1 - rate)

    Args:
        rate: probability that an element is dropped, rounded to 65,536ths.

    Shapes: x of any shape, y of the same shape.

    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout: A Simple Way to Prevent Neural
        Networks from Overfitting (2014); scaled in training, as at the end of section 10.
    """

    rate: Annotated[Rate, Lt(1)] = 0.5

    def forward(self, x: Array) -> Array:
        """Return y = x m / (1 - rate) in training, and x otherwise."""
        self.rate_now = self.now(self.rate) if self.training else 0.0
        if self.rate_now == 0:
            return x
        self.chance = random_words(self.rng, self.buffer("chance", x.shape, np.uint16))
        return drop(x, self.chance, self.rate_now, self.buffer("y", like=x))

    def backward(self, dy: Array) -> Array:
        """Return dx = dy m / (1 - rate), with the m of forward."""
        return drop(dy, self.chance, self.rate_now, dy) if self.rate_now > 0 else dy

    def onnx(self, graph: Graph) -> Value:
        """Describe y = x."""
        return graph.input

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show half of the elements dropped on features, and a few on an image."""
        return [({}, (6,)), ({"rate": 0.2}, (2, 3))]
