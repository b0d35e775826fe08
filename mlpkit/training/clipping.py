"""Gradient clipping: the gradient of a step is made smaller where it is too large."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.network.flat_layout import blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlpkit.network.sequential import Sequential


class ClipByNorm:
    """Scales the gradient of all parameters together to a largest length, so that it keeps its direction.

        g <- g limit / ‖g‖   if ‖g‖ > limit

    A gradient that is not finite is left as it is, so that the divergence is noticed.

    Args:
        network: the network; its flat gradient is changed in place.
        limit: the largest length.

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013), algorithm 1.
    """

    def __init__(self, network: Sequential, limit: float) -> None:
        self._network = network
        self._limit = limit
        self._blocks = _blocks(network)

    def __call__(self) -> None:
        """Clip the gradient."""
        norm = math.sqrt(math.fsum(self._network.map(_sum_of_squares, self._blocks)))
        if self._limit < norm < math.inf:
            self._factor = self._limit / norm
            self._network.map(self._scale, self._blocks)

    def _scale(self, block: NDArray[Any]) -> None:
        np.multiply(block, self._factor, out=block)


class ClipByValue:
    """Sets each element of the gradient that is too large to the limit, and leaves it its sign.

        g <- min(max(g, -limit), limit)

    Args:
        network: the network; its flat gradient is changed in place.
        limit: the largest absolute value.
    """

    def __init__(self, network: Sequential, limit: float) -> None:
        self._network = network
        self._limit = limit
        self._blocks = _blocks(network)

    def __call__(self) -> None:
        """Clip the gradient."""
        self._network.map(self._clip, self._blocks)

    def _clip(self, block: NDArray[Any]) -> None:
        np.clip(block, -self._limit, self._limit, out=block)


CLIPPERS: dict[str, Callable[[Sequential, float], ClipByNorm | ClipByValue]] = {
    "norm": ClipByNorm,
    "value": ClipByValue,
}
"""Ways to clip by their names in the spec."""


def _blocks(network: Sequential) -> list[NDArray[Any]]:
    """Return the flat gradient in pieces whose sums don't depend on who computes them."""
    gradient = network.gradient_values
    return [gradient[begin:end] for begin, end in blocks(0, gradient.size)]


def _sum_of_squares(block: NDArray[Any]) -> float:
    total = float(np.dot(block, block))
    if math.isinf(total):  # squares of float32 overflow long before the numbers do
        wide = block.astype(np.float64)
        total = float(np.dot(wide, wide))
    return total
