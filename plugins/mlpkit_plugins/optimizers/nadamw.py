"""Adam with Nesterov's momentum and decoupled weight decay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from functools import lru_cache
from math import exp, log, sqrt
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt

from mlpkit import Array, Rate, Step
from mlpkit_plugins.kernels import descend
from mlpkit_plugins.optimizers.arithmetic import divide_by_root, update_mean
from mlpkit_plugins.optimizers.weight_decay import WeightDecay

NEGLIGIBLE = 1e-20
"""A product of momenta that no longer changes 1 - product in float64."""


class Nadamw(WeightDecay):
    """Adam that looks one step ahead along its mean gradient, as Nesterov's momentum does, with decoupled weight decay.

        value ← value - learning_rate weight_decay value
        m     ← beta1 m + (1 - beta1) gradient
        v     ← beta2 v + (1 - beta2) gradient²
        μₜ    = beta1 (1 - ½ 0.96^(t momentum_decay))
        m̂     = μₜ₊₁ m / (1 - μ₁ ... μₜ₊₁) + (1 - μₜ) gradient / (1 - μ₁ ... μₜ)
        v̂     = v / (1 - beta2^t)
        value ← value - learning_rate m̂ / (√v̂ + epsilon)

    Here t is the number of the step, from 1; m and v start at 0. Parameters that their layer declares with
    ``decay=False`` skip the first line; in built-in layers, these are biases, scales and shifts.

    Args:
        learning_rate: the step length.
        beta1: share of m that is kept from step to step.
        beta2: share of v that is kept from step to step.
        momentum_decay: how fast μ rises from half of beta1 to beta1.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: share of the value that a step subtracts, divided by the learning rate; 0 for no decay.

    Source: Dozat, Incorporating Nesterov Momentum into Adam (2016), where momentum_decay is 1/250; weight decay:
        Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019).
    """

    slots = ("m", "v")

    learning_rate: Rate = 0.001
    _: KW_ONLY
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.9
    beta2: Annotated[float, Ge(0), Lt(1)] = 0.999
    momentum_decay: Annotated[float, Ge(0)] = 0.004
    epsilon: Annotated[float, Gt(0)] = 1e-8
    weight_decay: Rate = 0.01

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Let the value decay, and take one step along the mean that looks ahead."""
        m, v, t = slots["m"], slots["v"], step.number
        self.decay(value, step)
        update_mean(m, self.beta1, gradient)
        update_mean(v, self.beta2, np.square(gradient))
        product, mu, next_mu = _momenta(self.beta1, self.momentum_decay, t)
        m_hat = gradient
        m_hat *= (1 - mu) / (1 - product)
        m_hat += (next_mu / (1 - product * next_mu)) * m
        root = sqrt(1 - self.beta2**t)  # √v̂ = √v / root, so both sides of the quotient are multiplied by it
        divide_by_root(m_hat, v, self.epsilon * root)
        descend(value, m_hat, step.learning_rate * root)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show the defaults, and no weight decay."""
        return [{}, {"weight_decay": 0}]


@lru_cache(maxsize=4)  # computed once per step, not once per block
def _momenta(beta1: float, momentum_decay: float, t: int) -> tuple[float, float, float]:
    """Return μ₁ ... μₜ, μₜ and μₜ₊₁."""

    def mu(step: int) -> float:
        return beta1 * (1 - 0.5 * exp(step * momentum_decay * log(0.96)))

    product = 1.0
    for step in range(1, t + 1):
        product *= mu(step)
        if product < NEGLIGIBLE:
            break
    return product, mu(t), mu(t + 1)
