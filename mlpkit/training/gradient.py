"""The gradient of a step: of one minibatch or several, and clipped."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from mlpkit.array import Array
from mlpkit.network.sequential import Batch, Sequential
from mlpkit.specfile.sections import ClipSection
from mlpkit.training.divergence import refuse_loss
from mlpkit.training.events import Watch
from mlpkit.training.minibatches import Augmenter, MicroBatches, RankRows


class StepGradient:
    """Leaves in the network the gradient of a step: of a minibatch, or of several micro-batches i, one after another.

        g = Σ weightᵢ gᵢ / Σ weightᵢ

    That is the gradient of all their examples as one minibatch, to rounding, unless layers couple examples.

    Args:
        network: the network.
        micro_batches: the numbers of the micro-batches of each step.
        read: reads inputs, targets and weights of one.
        augment: changes its inputs; None for no augmentation.
        own: chooses the rows that are read, if other ranks read the rest; None for all rows.
        read_whole: returns what reads all rows even then.
    """

    def __init__(
        self,
        network: Sequential,
        micro_batches: MicroBatches,
        read: Callable[[int], Batch],
        augment: Augmenter | None = None,
        own: RankRows | None = None,
        read_whole: Callable[[], Callable[[int], Batch]] | None = None,
    ) -> None:
        self._network = network
        self._micro_batches = micro_batches
        self._read = read
        self._augment = augment
        self._own = own
        self._read_whole = read_whole
        if micro_batches.count > 1:
            gradient, total = network.gradient_values, network.layout.zeros(network.dtype)
            self._blocks = [(gradient[begin:end], total[begin:end]) for begin, end in network.layout.trained_blocks()]

    def __call__(self, step: int, learning_rate: float) -> float:
        """Return the loss of the examples of a step, counted from 0, or raise ``DivergenceError``."""
        if self._micro_batches.count == 1:
            return self._of_micro_batch(step, step, learning_rate)
        network, loss, counted = self._network, 0.0, 0.0
        for number in self._micro_batches.of_step(step):
            part = self._of_micro_batch(number, step, learning_rate)
            _, t, weights = self._read(number)
            self._weight = network.weight(t, weights, None if self._own is None else self._own.all_rows(number))
            network.map(self._add if counted else self._begin, self._blocks)
            loss += self._weight * part
            counted += self._weight
        self._counted = counted or 1.0  # where no row counts, there is neither loss nor gradient
        network.map(self._divide, self._blocks)
        return loss / self._counted

    def _of_micro_batch(self, number: int, step: int, learning_rate: float) -> float:
        x, t, weights = self._read(number)
        if self._augment is not None:
            x = self._augment(x, number)
        rows = None if self._own is None else self._own.all_rows(number)
        loss = self._network.loss_and_gradient(x, t, number, weights, rows)
        if not math.isfinite(loss):
            if self._read_whole is not None:
                x, t, _ = self._read_whole()(number)
            refuse_loss(loss, step + 1, learning_rate, self._network, x, t)
        return loss

    def _begin(self, block: tuple[Array, Array]) -> None:
        gradient, total = block
        np.multiply(gradient, self._weight, out=total)

    def _add(self, block: tuple[Array, Array]) -> None:
        gradient, total = block
        np.multiply(gradient, self._weight, out=gradient)
        np.add(total, gradient, out=total)

    def _divide(self, block: tuple[Array, Array]) -> None:
        gradient, total = block
        np.divide(total, self._counted, out=gradient)


def clip_by_norm(network: Sequential, limit: float) -> Callable[[], None]:
    """Return what scales the gradient of all trained parameters together to a largest length, in its direction.

        g <- g limit / ‖g‖   if ‖g‖ > limit

    A gradient that is not finite is left as it is, so that the divergence is noticed.

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013), algorithm 1.
    """
    blocks = _gradient_blocks(network)

    def clip() -> None:
        norm = math.sqrt(math.fsum(network.map(sum_of_squares, blocks)))
        if limit < norm < math.inf:
            factor = limit / norm
            network.map(lambda block: np.multiply(block, factor, out=block), blocks)

    return clip


def clip_by_value(network: Sequential, limit: float) -> Callable[[], None]:
    """Return what sets each element of the gradient that is too large to the limit, and leaves it its sign.

    g <- min(max(g, -limit), limit)
    """
    blocks = _gradient_blocks(network)

    def clip() -> None:
        network.map(lambda block: np.clip(block, -limit, limit, out=block), blocks)

    return clip


def _gradient_blocks(network: Sequential) -> list[Array]:
    """Return the gradient of the trained parameters in blocks, whose sums don't depend on who computes them."""
    return [network.gradient_values[begin:end] for begin, end in network.layout.trained_blocks()]


def clipper(network: Sequential, section: ClipSection | None) -> Callable[[], None] | None:
    """Return what clips the gradient of each step in place; None if the spec doesn't ask for it."""
    if section is None:
        return None
    if section.norm is not None:
        return clip_by_norm(network, section.norm)
    return None if section.value is None else clip_by_value(network, section.value)


def watched(clip: Callable[[], None] | None, watches: Sequence[Watch]) -> Callable[[], None]:
    """Return what clips the gradient, if ``clip`` isn't None, and shows it before and after."""

    def clip_and_show() -> None:
        for watch in watches:
            watch.gradient()
        if clip is not None:
            clip()
        for watch in watches:
            watch.clipped()

    return clip_and_show


def sum_of_squares(block: Array) -> float:
    """Return the sum of the squares of a one-dimensional array, also where float32 would overflow."""
    total = float(np.dot(block, block))
    if math.isinf(total):  # squares of float32 overflow long before the numbers do
        wide = block.astype(np.float64)
        total = float(np.dot(wide, wide))
    return total
