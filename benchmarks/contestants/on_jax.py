"""The base of contestants that use JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from contestants.contestant import Contestant, check_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class OnJax(Contestant):
    """Trains with a compiled step that returns its state, the parameters first, and the loss.

    The loss of a step is read while the next one runs: waiting for it immediately would leave the processor idle.
    """

    data: tuple[jax.Array, jax.Array]
    state: Any
    step: Callable[..., tuple[Any, jax.Array]]

    def train(self, minibatches: NDArray[np.int64]) -> None:
        """Take a step on each minibatch."""
        previous = None
        for rows in minibatches.astype(np.int32):
            self.state, loss = self.step(self.state, *self.data, rows)
            if previous is not None:
                check_loss(float(previous))
            previous = loss
        if previous is not None:
            check_loss(float(previous))
            jax.block_until_ready(self.state)

    def parameters(self) -> list[NDArray[np.float32]]:
        """Return the parameters."""
        return [np.asarray(value) for value in self.state[0]]
