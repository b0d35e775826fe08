"""Schedule-free AdamW."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt

from mlpkit import Array, Rate, Step
from mlpkit_plugins.kernels import descend
from mlpkit_plugins.optimizers.arithmetic import divide_by_root, update_mean
from mlpkit_plugins.optimizers.weight_decay import WeightDecay


class ScheduleFreeAdamw(WeightDecay):
    """AdamW on z, whose average x is evaluated and saved; it needs no schedule, so the training may end at any time.

        value = z + beta1 (x - z)           where the gradient is taken
        γ     = learning_rate min(1, t / warmup)
        v     ← beta2 v + (1 - beta2) gradient²
        v̂     = v / (1 - beta2^t)
        z     ← z - γ (gradient / (√v̂ + epsilon) + weight_decay value)
        x     ← (1 - c) x + c z             with c = γ² / (the sum of γ² over all steps so far)

    Here t is the number of the step, from 1; v starts at 0, x and z at the first value. Without warmup, x is the mean
    of all z. Parameters that their layer declares with ``decay=False`` don't decay; in built-in layers, these are
    biases, scales and shifts. The state of layers, such as the running means of BatchNorm, belongs to the values where
    gradients were taken, not to x.

    Args:
        learning_rate: the step length; one to ten times that of AdamW with a schedule.
        beta1: share of x in the values where gradients are taken.
        beta2: share of v that is kept from step to step.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: share of the value that a step subtracts, divided by the learning rate; 0 for no decay.
        warmup: steps over which the learning rate rises from 0.

    Source: Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky, The Road Less Scheduled (2024), algorithm 1, with
        the correction in v̂.
    """

    slots = ("x", "z", "v")
    evaluates = "x"

    learning_rate: Annotated[float, Gt(0)] = 0.0025
    _: KW_ONLY
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.9
    beta2: Annotated[float, Ge(0), Lt(1)] = 0.999
    epsilon: Annotated[float, Gt(0)] = 1e-8
    weight_decay: Rate = 0.0
    warmup: Annotated[int, Ge(0)] = 0

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Move z against the gradient, the average x towards z, and the value between both."""
        x, z, v, t = slots["x"], slots["z"], slots["v"], step.number
        if t == 1:
            np.copyto(x, value)
            np.copyto(z, value)
        update_mean(v, self.beta2, np.square(gradient))
        divide_by_root(gradient, v / (1 - self.beta2**t), self.epsilon)
        self.add_decay(gradient, value, step)
        descend(z, gradient, step.learning_rate * self._warmed_up(t))
        x += self._c(t) * (z - x)
        np.subtract(x, z, out=value)
        value *= self.beta1
        value += z

    def _warmed_up(self, t: int) -> float:
        """Return min(1, t / warmup)."""
        return min(1.0, t / self.warmup) if self.warmup else 1.0

    def _c(self, t: int) -> float:
        """Return γ² / Σ γ², with Σ k² = n (n + 1) (2 n + 1) / 6 over the n steps of the warmup so far."""
        n = min(t, self.warmup)
        squares = n * (n + 1) * (2 * n + 1) / (6 * self.warmup**2) if n else 0.0
        return self._warmed_up(t) ** 2 / (squares + t - n)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show the defaults, and warmup and weight decay."""
        return [{}, {"warmup": 5, "weight_decay": 0.1}]
