"""The gradient of a step: from its minibatch to the flat gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlpkit.training.divergence import refuse_loss

if TYPE_CHECKING:
    from mlpkit.network.sequential import Sequential
    from mlpkit.training.batches import Augmenter
    from mlpkit.training.minibatches import MinibatchReader


class StepGradient:
    """Reads the minibatch of a step, and leaves its gradient in the network.

    Args:
        network: the network.
        minibatch: reads minibatches.
        augment: changes their inputs; None for nothing of the kind.
    """

    def __init__(self, network: Sequential, minibatch: MinibatchReader, augment: Augmenter | None) -> None:
        self._network = network
        self._minibatch = minibatch
        self._augment = augment

    def __call__(self, step: int, learning_rate: float) -> float:
        """Return the loss of the minibatch.

        Args:
            step: steps done before this one.
            learning_rate: the learning rate of the step before, for the message if the training has diverged.

        Raises:
            DivergenceError: the loss is not finite.
        """
        x, t = self._minibatch(step)
        if self._augment is not None:
            x = self._augment(x, step)
        loss = self._network.loss_and_gradient(x, t, step)
        if not math.isfinite(loss):
            refuse_loss(loss, step + 1, learning_rate, self._network, x, t)
        return loss

    def last_minibatch(self, steps: int) -> int:
        """Return the number of the minibatch that was computed last, from 0, after so many steps."""
        return steps - 1
