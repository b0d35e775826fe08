"""Adagrad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt

from mlpkit import Array, Rate, Step
from mlpkit_plugins.kernels import descend
from mlpkit_plugins.optimizers.arithmetic import divide_by_root
from mlpkit_plugins.optimizers.weight_decay import WeightDecay


class Adagrad(WeightDecay):
    """Adagrad: each step is scaled by the root of the sum of all squares of the gradient so far.

        g     ← gradient + weight_decay value
        v     ← v + g²
        value ← value - learning_rate g / (√v + epsilon)

    The sum v starts at 0. Parameters that their layer declares with ``decay=False`` don't decay; in built-in layers,
    these are biases, scales and shifts.

    Args:
        learning_rate: the step length; the length of the very first step.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: factor of the value in g; 0 for no decay.

    Source: Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization
        (2011), figure 1 with diagonal matrices, where epsilon is called δ.
    """

    slots = ("v",)

    learning_rate: Rate = 0.01
    _: KW_ONLY
    epsilon: Annotated[float, Gt(0)] = 1e-10
    weight_decay: Rate = 0.0

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Take one step along the scaled gradient."""
        g, v = gradient, slots["v"]
        self.add_decay(g, value, step)
        v += np.square(g)
        divide_by_root(g, v, self.epsilon)
        descend(value, g, step.learning_rate)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show the defaults, and weight decay."""
        return [{}, {"weight_decay": 0.01}]
