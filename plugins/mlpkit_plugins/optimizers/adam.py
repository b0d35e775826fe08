"""Adam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Annotated

from annotated_types import Ge, Gt, Lt

from mlpkit import Array, Optimizer, Rate, Step
from mlpkit_plugins.kernels import descend_adaptively


class Adam(Optimizer):
    """Adam: each step is scaled by means of the gradient and of its square.

        m     ← beta1 m + (1 - beta1) gradient
        v     ← beta2 v + (1 - beta2) gradient²
        m̂     = m / (1 - beta1^t)
        v̂     = v / (1 - beta2^t)
        value ← value - learning_rate m̂ / (√v̂ + epsilon)

    Here t is the number of the step, from 1; m and v start at 0. For weight decay, use ``adamw``.

    Args:
        learning_rate: the step length.
        beta1: share of m that is kept from step to step.
        beta2: share of v that is kept from step to step.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.

    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization (2015), algorithm 1.
    """

    slots = ("m", "v")
    slots_version = 2
    uses_decay = False

    learning_rate: Rate = 0.001
    _: KW_ONLY
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.9
    beta2: Annotated[float, Ge(0), Lt(1)] = 0.999
    epsilon: Annotated[float, Gt(0)] = 1e-8

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Update m and v, and move the value along m̂ / √v̂."""
        m, v, t = slots["m"], slots["v"], step.number
        beta1, beta2, rate, kept = self.beta1, self.beta2, step.learning_rate, self.kept(step)
        of_m, of_v = 1 - beta1**t, 1 - beta2**t  # the corrections
        descend_adaptively(value, gradient, m, v, beta1, beta2, of_m, of_v, self.epsilon, rate, kept)

    def kept(self, step: Step) -> float:
        """Return the share of the value that is kept: all, without weight decay."""
        return 1.0
