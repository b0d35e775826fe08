"""Schedule-free AdamW."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt

from mlpkit import Optimizer, Rate, Step
from mlpkit_plugins.kernels import descend
from mlpkit_plugins.optimizers.division_by_root import divide_by_root
from mlpkit_plugins.optimizers.running_mean import update_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit import Array


class ScheduleFreeAdamw(Optimizer):
    """AdamW on z, whose average x is evaluated and saved; it needs no schedule, and so no end that is known beforehand.

        value = (1 - beta1) z + beta1 x     where the gradient is taken
        γ     = learning_rate min(1, t / warmup)
        v     ← beta2 v + (1 - beta2) gradient²
        v̂     = v / (1 - beta2^t)
        z     ← z - γ (gradient / (√v̂ + epsilon) + weight_decay value)
        x     ← (1 - c) x + c z             with c = γ² / (the sum of γ² over all steps so far)

    Here t is the number of the step, from 1; v is 0 at first, x and z are the first value. Without warmup, x is the
    mean of all z. For parameters that their layer declares with ``decay=False``, which are the biases, scales and
    shifts of built-in layers, weight_decay is 0. Layers' state, such as the running means of BatchNorm, is that of the
    values where gradients were taken.

    Args:
        learning_rate: the step length; one to ten times that of AdamW with a schedule.
        beta1: share of x in the values where gradients are taken.
        beta2: share that is kept of the mean square from step to step.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: share of the value that is subtracted in a step, divided by the learning rate; 0 for no decay.
        warmup: steps over which the learning rate rises from 0.

    Source: Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky, The Road Less Scheduled (2024), algorithm 1, with the
        correction of v beside v.
    """

    slots = ("x", "z", "v")
    evaluates = "x"

    def __init__(
        self,
        learning_rate: Annotated[float, Gt(0)] = 0.0025,
        *,
        beta1: Annotated[float, Ge(0), Lt(1)] = 0.9,
        beta2: Annotated[float, Ge(0), Lt(1)] = 0.999,
        epsilon: Annotated[float, Gt(0)] = 1e-8,
        weight_decay: Rate = 0.0,
        warmup: Annotated[int, Ge(0)] = 0,
    ) -> None:
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.uses_decay = weight_decay != 0

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Move z against the gradient, the average x towards z, and the value between both."""
        x, z, v = slots["x"], slots["z"], slots["v"]
        if step.number == 1:
            np.copyto(x, value)
            np.copyto(z, value)
        update_mean(v, self.beta2, np.square(gradient))
        divide_by_root(gradient, v / (1 - self.beta2**step.number), self.epsilon)
        if step.decay and self.uses_decay:
            gradient += self.now(self.weight_decay, step) * step.decay * value
        descend(z, gradient, step.learning_rate * self._warmed_up(step.number))
        x += self._weight(step.number) * (z - x)
        np.subtract(x, z, out=value)
        value *= self.beta1
        value += z

    def _warmed_up(self, step: int) -> float:
        """Return the share of the learning rate that a step has."""
        return min(1.0, step / self.warmup) if self.warmup else 1.0

    def _weight(self, step: int) -> float:
        """Return the share of z in the average after a step."""
        rising = min(step, self.warmup)
        squares = rising * (rising + 1) * (2 * rising + 1) / (6 * self.warmup**2) if rising else 0.0
        return self._warmed_up(step) ** 2 / (squares + step - rising)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it as it is, and with warmup and weight decay."""
        return [{}, {"warmup": 5, "weight_decay": 0.1}]
