"""The step of Adam."""

from __future__ import annotations

from mlpkit import Array
from mlpkit_plugins.kernels import descend_adaptively


def adam_step(
    value: Array,
    gradient: Array,
    m: Array,
    v: Array,
    *,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    kept: float = 1.0,
) -> None:
    """Take a step of Adam in place, in one pass over memory; the gradient is scratch afterwards.

        m     ← beta1 m + (1 - beta1) gradient
        v     ← beta2 v + (1 - beta2) gradient²
        m̂     = m / (1 - beta1^t)
        v̂     = v / (1 - beta2^t)
        value ← kept value - learning_rate m̂ / (√v̂ + epsilon)

    Args:
        value: any shape.
        gradient: the same shape, as are m and v.
        m: mean of the gradient.
        v: mean of its square.
        t: number of the step, from 1.
        learning_rate: the step length.
        beta1: share of m that is kept.
        beta2: share of v that is kept.
        epsilon: added to the root.
        kept: share of the value that is kept; 1 without weight decay.
    """
    m_correction, v_correction = 1 - beta1**t, 1 - beta2**t
    descend_adaptively(value, gradient, m, v, beta1, beta2, m_correction, v_correction, epsilon, learning_rate, kept)
