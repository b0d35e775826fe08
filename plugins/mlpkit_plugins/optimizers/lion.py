"""Lion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge, Lt

from mlpkit import Optimizer, Rate, Step
from mlpkit_plugins.kernels import descend
from mlpkit_plugins.optimizers.running_mean import update_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit import Array


class Lion(Optimizer):
    """Lion: every element moves by the same length, in the direction of the sign of an averaged gradient.

        c     = beta1 m + (1 - beta1) gradient
        m     ← beta2 m + (1 - beta2) gradient
        value ← value - learning_rate (sign c + weight_decay value)

    The mean m is 0 at first, and the sign of 0 is 0. For parameters that their layer declares with ``decay=False``,
    which are the biases, scales and shifts of built-in layers, weight_decay is 0. As every element moves by the whole
    learning rate, that should be a third to a tenth of AdamW's, and the weight decay as much larger.

    Args:
        learning_rate: how far each element moves in a step.
        beta1: share of the mean in the direction of the step.
        beta2: share that is kept of the mean gradient from step to step.
        weight_decay: factor of the value added to the sign; 0 for no decay.

    Source: Chen and others, Symbolic Discovery of Optimization Algorithms (2023), algorithm 2.
    """

    slots = ("m",)

    def __init__(
        self,
        learning_rate: Rate = 0.0001,
        *,
        beta1: Annotated[float, Ge(0), Lt(1)] = 0.9,
        beta2: Annotated[float, Ge(0), Lt(1)] = 0.99,
        weight_decay: Rate = 0.0,
    ) -> None:
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.weight_decay = weight_decay
        self.uses_decay = weight_decay != 0

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Let the value decay if it should, then take one step in the direction of the sign."""
        m = slots["m"]
        c = self.beta1 * m
        c += (1 - self.beta1) * gradient
        update_mean(m, self.beta2, gradient)
        if step.decay and self.uses_decay:
            weight_decay = self.now(self.weight_decay, step) * step.decay
            np.multiply(value, 1 - step.learning_rate * weight_decay, out=value)
        descend(value, np.sign(c, out=c), step.learning_rate)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it as it is, and with weight decay."""
        return [{}, {"weight_decay": 0.1}]
