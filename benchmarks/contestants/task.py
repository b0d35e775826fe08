"""The task that every contestant trains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE, CLASSES = 28, 10
"""Pixels along each side of an image, and kinds of digit."""
FEATURES = SIDE**2
PATCH, POOL = 5, 2
"""Pixels along each side of a convolution's patch, and of a pooling's."""
PADDING = (2, 0)
"""What is put around the images of the first convolution and of the second."""
LEARNING_RATES = {"sgd": 0.1, "adam": 0.001}
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's own, the same for all."""


@dataclass(frozen=True)
class Convolution:
    """A convolution with 5 x 5 patches on square images."""

    channels: int
    side: int
    filters: int
    padding: int

    @property
    def outputs(self) -> int:
        """Pixels along each side of the outputs."""
        return self.side + 2 * self.padding - PATCH + 1

    @property
    def products(self) -> int:
        """Products of a weight and a pixel in one pass over one image."""
        return self.filters * self.channels * PATCH**2 * self.outputs**2


@dataclass(frozen=True)
class Task:
    """A network of affine layers with softmax and cross-entropy, and its optimizer, ``sgd`` or ``adam``.

    Up to two convolutions come before the affine layers, with ``filters`` each, followed by Relu and the maximum of
    patches of 2 by 2. The layers ``after`` each hidden affine layer have the names of mlpkit's.
    """

    hidden: tuple[int, ...]
    batch_size: int
    optimizer: str
    filters: tuple[int, ...] = ()
    after: tuple[str, ...] = ("Relu",)

    @property
    def widths(self) -> tuple[int, ...]:
        """Features that reach the affine layers, units of each hidden layer, classes."""
        features = FEATURES
        for convolution in self.convolutions:
            features = convolution.filters * (convolution.outputs // POOL) ** 2
        return (features, *self.hidden, CLASSES)

    @property
    def convolutions(self) -> list[Convolution]:
        """The convolutions, in order."""
        convolutions: list[Convolution] = []
        channels, side = 1, SIDE
        for filters, padding in zip(self.filters, PADDING, strict=False):
            convolutions.append(Convolution(channels, side, filters, padding))
            channels, side = filters, convolutions[-1].outputs // POOL
        return convolutions

    @property
    def learning_rate(self) -> float:
        """The step length."""
        return LEARNING_RATES[self.optimizer]

    @property
    def flops(self) -> int:
        """Floating-point operations of a step's matrix products; the input needs no gradient."""
        products = [convolution.products for convolution in self.convolutions]
        products += [a * b for a, b in pairwise(self.widths)]
        return 2 * self.batch_size * (3 * sum(products) - products[0])

    def first_parameters(self) -> list[NDArray[np.float32]]:
        """Return first values: W and b of each layer, W normal with variance 2 / (weights of an output), b zero."""
        draw = np.random.default_rng(0)
        parameters: list[NDArray[np.float32]] = []
        for convolution in self.convolutions:
            shape = convolution.filters, convolution.channels * PATCH**2
            parameters.append(draw.normal(0, math.sqrt(2 / shape[1]), shape).astype(np.float32))
            parameters.append(np.zeros(shape[0], np.float32))
        for rows, columns in pairwise(self.widths):
            parameters.append(draw.normal(0, math.sqrt(2 / rows), (rows, columns)).astype(np.float32))
            parameters.append(np.zeros(columns, np.float32))
        return parameters
