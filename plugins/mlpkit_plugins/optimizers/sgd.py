"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Optimizer, Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Sgd(Optimizer):
    """Plain stochastic gradient descent.

        value ← value - learning_rate gradient

    Args:
        learning_rate: the step length.

    Source: Robbins and Monro, A Stochastic Approximation Method (1951).
    """

    uses_decay = False

    def __init__(self, learning_rate: Rate = 0.01) -> None:
        self.learning_rate = learning_rate

    def update(
        self,
        value: NDArray[Any],
        gradient: NDArray[Any],
        slots: Mapping[str, NDArray[Any]],
        *,
        learning_rate: float,
        step: int,
        decay: bool,
    ) -> None:
        """Take one step down the gradient."""
        np.multiply(gradient, learning_rate, out=gradient)
        np.subtract(value, gradient, out=value)
