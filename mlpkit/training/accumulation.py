"""Gradient accumulation: the minibatch of a step is computed in parts, one after the other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.network.flat_layout import blocks
from mlpkit.training.divergence import refuse_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.network.sequential import Sequential
    from mlpkit.training.batches import Augmenter
    from mlpkit.training.minibatches import MinibatchReader
    from mlpkit.training.sampling import Sampler


class Parts:
    """Cuts the minibatches of a sampler into parts, which are numbered through: those of step s begin with s · count.

    Args:
        sampler: chooses the examples of a whole step.
        batch_size: examples of a part; the last one of a step may be smaller.
        count: parts of a step; where there are too few examples for all, the last are empty.
    """

    def __init__(self, sampler: Sampler, batch_size: int, count: int) -> None:
        self._sampler = sampler
        self._batch_size = batch_size
        self.count = count

    def of_step(self, step: int) -> range:
        """Return the numbers of those parts of a step that are not empty."""
        full = -(-len(self._sampler.indices(step)) // self._batch_size)
        return range(step * self.count, step * self.count + full)

    def indices(self, step: int) -> NDArray[Any]:
        """Return the positions of the examples of a part, by its number."""
        whole, part = divmod(step, self.count)
        return self._sampler.indices(whole)[part * self._batch_size : (part + 1) * self._batch_size]


class AccumulatedGradient:
    """Leaves in the network the gradient of a step, added up from parts; it takes the memory of one of them.

        g = Σ weightᵢ gᵢ / Σ weightᵢ   over the parts i

    That is the gradient of all parts' examples as one minibatch, to rounding, unless layers couple examples.

    Args:
        network: the network.
        parts: the parts of each step.
        minibatch: reads them.
        augment: changes their inputs; None for nothing of the kind.
    """

    def __init__(
        self, network: Sequential, parts: Parts, minibatch: MinibatchReader, augment: Augmenter | None
    ) -> None:
        self._network = network
        self._parts = parts
        self._minibatch = minibatch
        self._augment = augment
        gradient, total = network.gradient_values, network.layout.zeros(network.dtype)
        self._blocks = [(gradient[begin:end], total[begin:end]) for begin, end in blocks(0, gradient.size)]

    def __call__(self, step: int, learning_rate: float) -> float:
        """Return the loss of the step's examples.

        Args:
            step: steps done before this one.
            learning_rate: the learning rate of the step before, for the message if the training has diverged.

        Raises:
            DivergenceError: the loss of a part is not finite.
        """
        network = self._network
        loss, weights = 0.0, 0.0
        for number in self._parts.of_step(step):
            x, t = self._minibatch(number)
            if self._augment is not None:
                x = self._augment(x, number)
            part = network.loss_and_gradient(x, t, number)
            if not math.isfinite(part):
                refuse_loss(part, step + 1, learning_rate, network, x, t)
            self._weight = network.replicas[0].weight(t)
            network.map(self._add if weights else self._begin, self._blocks)
            loss += self._weight * part
            weights += self._weight
        self._weights = weights or 1.0  # where no row counts, there is neither loss nor gradient
        network.map(self._divide, self._blocks)
        return loss / self._weights

    def last_minibatch(self, steps: int) -> int:
        """Return the number of the part that was computed last, from 0, after so many steps."""
        return self._parts.of_step(steps - 1)[-1]

    def _begin(self, block: tuple[NDArray[Any], NDArray[Any]]) -> None:
        gradient, total = block
        np.multiply(gradient, self._weight, out=total)

    def _add(self, block: tuple[NDArray[Any], NDArray[Any]]) -> None:
        gradient, total = block
        np.multiply(gradient, self._weight, out=gradient)
        np.add(total, gradient, out=total)

    def _divide(self, block: tuple[NDArray[Any], NDArray[Any]]) -> None:
        gradient, total = block
        np.divide(total, self._weights, out=gradient)
