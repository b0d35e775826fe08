"""Lion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Lt

from mlpkit import Array, Rate, Step
from mlpkit_plugins.kernels import descend
from mlpkit_plugins.optimizers.arithmetic import update_mean
from mlpkit_plugins.optimizers.weight_decay import WeightDecay


class Lion(WeightDecay):
    """Lion: every element moves by the same length, in the direction of the sign of an averaged gradient.

        c     = beta1 m + (1 - beta1) gradient
        m     ← beta2 m + (1 - beta2) gradient
        value ← value - learning_rate (sign c + weight_decay value)

    The mean m starts at 0, and the sign of 0 is 0. Parameters that their layer declares with ``decay=False`` don't
    decay; in built-in layers, these are biases, scales and shifts. As every element moves by the whole learning rate,
    use a third to a tenth of AdamW's, and a weight decay three to ten times as large.

    Args:
        learning_rate: how far each element moves in a step.
        beta1: share of the mean in the direction of the step.
        beta2: share of the mean that is kept from step to step.
        weight_decay: factor of the value that is added to the sign; 0 for no decay.

    Source: Chen and others, Symbolic Discovery of Optimization Algorithms (2023), algorithm 2.
    """

    slots = ("m",)

    learning_rate: Rate = 0.0001
    _: KW_ONLY
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.9
    beta2: Annotated[float, Ge(0), Lt(1)] = 0.99
    weight_decay: Rate = 0.0

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Let the value decay, and take one step in the direction of the sign."""
        m = slots["m"]
        c = self.beta1 * m
        c += (1 - self.beta1) * gradient
        update_mean(m, self.beta2, gradient)
        self.decay(value, step)
        descend(value, np.sign(c, out=c), step.learning_rate)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show the defaults, and weight decay."""
        return [{}, {"weight_decay": 0.1}]
