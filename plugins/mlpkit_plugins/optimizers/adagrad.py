"""Adagrad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Gt

from mlpkit import Optimizer, Rate, Step
from mlpkit_plugins.kernels import descend
from mlpkit_plugins.optimizers.division_by_root import divide_by_root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit import Array


class Adagrad(Optimizer):
    """Adagrad: each step is scaled by the root of the sum of all squares of the gradient so far.

        g     ← gradient + weight_decay value
        v     ← v + g²
        value ← value - learning_rate g / (√v + epsilon)

    The sum v is 0 at first. Parameters that their layer declares with ``decay=False`` don't decay, which are the
    biases, scales and shifts of built-in layers: their g is the gradient.

    Args:
        learning_rate: the step length; the very first step has it.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: what the value counts for in g; 0 for no decay.

    Source: Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization
        (2011), figure 1 with diagonal matrices, where epsilon is called δ.
    """

    slots = ("v",)

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        *,
        epsilon: Annotated[float, Gt(0)] = 1e-10,
        weight_decay: Rate = 0.0,
    ) -> None:
        self.learning_rate = learning_rate
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.uses_decay = weight_decay != 0

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Take one step along the scaled gradient."""
        if step.decay and self.uses_decay:
            gradient += self.now(self.weight_decay, step) * step.decay * value
        v = slots["v"]
        v += np.square(gradient)
        divide_by_root(gradient, v, self.epsilon)
        descend(value, gradient, step.learning_rate)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it as it is, and with weight decay."""
        return [{}, {"weight_decay": 0.01}]
