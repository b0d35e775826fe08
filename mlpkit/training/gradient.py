"""The gradient of a step: of one minibatch or several, and clipped."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.training.divergence import refuse_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mlpkit.network.sequential import Batch, Sequential
    from mlpkit.specfile.sections import ClipSection
    from mlpkit.training.minibatches import Augmenter, OwnRows, Sampler
    from mlpkit.training.watch import Watch


class MinibatchGradient:
    """Reads a minibatch, and leaves its gradient in the network.

    Args:
        network: the network.
        minibatch: reads minibatches.
        augment: changes their inputs; None for nothing of the kind.
        own: chooses the rows that are read, if other ranks read the others; None if all are.
        read_whole: returns what reads whole minibatches even then.
    """

    def __init__(
        self,
        network: Sequential,
        minibatch: Callable[[int], Batch],
        augment: Augmenter | None = None,
        own: OwnRows | None = None,
        read_whole: Callable[[], Callable[[int], Batch]] | None = None,
    ) -> None:
        self._network = network
        self._minibatch = minibatch
        self._augment = augment
        self._own = own
        self._read_whole = read_whole

    def __call__(self, number: int, step: int, learning_rate: float) -> float:
        """Return the loss of a minibatch.

        Args:
            number: which it is, from 0.
            step: steps done before this one.
            learning_rate: the learning rate of the step before, for the message if the training has diverged.

        Raises:
            DivergenceError: the loss is not finite.
        """
        x, t, weights = self._minibatch(number)
        if self._augment is not None:
            x = self._augment(x, number)
        rows = None if self._own is None else self._own.rows(number)
        loss = self._network.loss_and_gradient(x, t, number, weights, rows)
        if not math.isfinite(loss):
            if self._read_whole is not None:
                x, t, _ = self._read_whole()(number)
            refuse_loss(loss, step + 1, learning_rate, self._network, x, t)
        return loss

    def weight(self, number: int) -> float:
        """Return how much the minibatch that was computed last counts."""
        _, t, weights = self._minibatch(number)
        return self._network.weight(t, weights, None if self._own is None else self._own.rows(number))


class StepGradient:
    """Leaves in the network the gradient of a step, that of its minibatch.

    Args:
        compute: computes the gradient of a minibatch.
    """

    def __init__(self, compute: MinibatchGradient) -> None:
        self._compute = compute

    def __call__(self, step: int, learning_rate: float) -> float:
        """Return the loss of the minibatch.

        Args:
            step: steps done before this one.
            learning_rate: the learning rate of the step before, for the message if the training has diverged.

        Raises:
            DivergenceError: the loss is not finite.
        """
        return self._compute(step, step, learning_rate)

    def last_minibatch(self, steps: int) -> int:
        """Return the number of the minibatch that was computed last, from 0, after so many steps."""
        return steps - 1


class Parts:
    """Cuts the minibatches of a sampler into parts, which are numbered through: those of step s begin with s · count.

    Args:
        sampler: chooses the examples of a whole step.
        batch_size: examples of a part; the last one of a step may be smaller.
        count: parts of a step; with too few examples for all, the last are empty.
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
        compute: computes the gradient of a part.
    """

    def __init__(self, network: Sequential, parts: Parts, compute: MinibatchGradient) -> None:
        self._network = network
        self._parts = parts
        self._compute = compute
        gradient, total = network.gradient_values, network.layout.zeros(network.dtype)
        self._blocks = [(gradient[begin:end], total[begin:end]) for begin, end in network.layout.trained_blocks()]

    def __call__(self, step: int, learning_rate: float) -> float:
        """Return the loss of the step's examples.

        Args:
            step: steps done before this one.
            learning_rate: the learning rate of the step before, for the message if the training has diverged.

        Raises:
            DivergenceError: the loss of a part is not finite.
        """
        network = self._network
        loss, counted = 0.0, 0.0
        for number in self._parts.of_step(step):
            part = self._compute(number, step, learning_rate)
            self._weight = self._compute.weight(number)
            network.map(self._add if counted else self._begin, self._blocks)
            loss += self._weight * part
            counted += self._weight
        self._counted = counted or 1.0  # where no row counts, there is neither loss nor gradient
        network.map(self._divide, self._blocks)
        return loss / self._counted

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
        np.divide(total, self._counted, out=gradient)


class ClipByNorm:
    """Scales the gradient of all trained parameters together to a largest length, so that it keeps its direction.

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
        norm = math.sqrt(math.fsum(self._network.map(sum_of_squares, self._blocks)))
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


def clipper(network: Sequential, section: ClipSection | None) -> ClipByNorm | ClipByValue | None:
    """Return what clips the gradient of each step, as the spec says; None for nothing."""
    if section is None:
        return None
    if section.norm is not None:
        return ClipByNorm(network, section.norm)
    return None if section.value is None else ClipByValue(network, section.value)


class WatchedClip:
    """Clips the gradient, and shows it before and after.

    Args:
        clip: clips it; None if it is not clipped.
        watches: what looks at it.
    """

    def __init__(self, clip: Callable[[], None] | None, watches: Sequence[Watch]) -> None:
        self._clip = clip
        self._watches = watches

    def __call__(self) -> None:
        """Clip the gradient, if it is to be clipped."""
        for watch in self._watches:
            watch.gradient()
        if self._clip is not None:
            self._clip()
        for watch in self._watches:
            watch.clipped()


def _blocks(network: Sequential) -> list[NDArray[Any]]:
    """Return the flat gradient in pieces whose sums don't depend on who computes them."""
    gradient = network.gradient_values
    return [gradient[begin:end] for begin, end in network.layout.trained_blocks()]


def sum_of_squares(block: NDArray[Any]) -> float:
    """Return the sum of the squares of a one-dimensional array, also where float32 would overflow."""
    total = float(np.dot(block, block))
    if math.isinf(total):  # squares of float32 overflow long before the numbers do
        wide = block.astype(np.float64)
        total = float(np.dot(wide, wide))
    return total
