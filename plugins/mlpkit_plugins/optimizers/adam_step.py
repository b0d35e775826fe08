"""The step of Adam, which other optimizers take for some of their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mlpkit_plugins.kernels import descend_adaptively

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit import Array


class AdamConstants(Protocol):
    """An optimizer with the constants of Adam."""

    beta1: float
    beta2: float
    epsilon: float


def adam_step(
    of: AdamConstants,
    value: Array,
    gradient: Array,
    slots: Mapping[str, Array],
    number: int,
    learning_rate: float,
    kept: float = 1.0,
) -> None:
    """Take a step of Adam in place; the gradient is scratch from then on.

        m     ← beta1 m + (1 - beta1) gradient
        v     ← beta2 v + (1 - beta2) gradient²
        m̂     = m / (1 - beta1^number)
        v̂     = v / (1 - beta2^number)
        value ← kept value - learning_rate m̂ / (√v̂ + epsilon)

    Args:
        of: the optimizer.
        value: of any shape.
        gradient: of the same shape, as are m and v.
        slots: m and v.
        number: the number of the step, from 1.
        learning_rate: the step length.
        kept: share that is kept of the value; 1 without weight decay.
    """
    beta1, beta2 = of.beta1, of.beta2
    correction1, correction2 = 1 - beta1**number, 1 - beta2**number
    m, v = slots["m"], slots["v"]
    descend_adaptively(value, gradient, m, v, beta1, beta2, correction1, correction2, of.epsilon, learning_rate, kept)
