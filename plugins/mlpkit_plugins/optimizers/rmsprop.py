"""RMSprop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt

from mlpkit import Array, Rate, Step
from mlpkit_plugins.kernels import descend, flush_subnormal
from mlpkit_plugins.optimizers.arithmetic import divide_by_root, update_mean
from mlpkit_plugins.optimizers.weight_decay import WeightDecay


class Rmsprop(WeightDecay):
    """RMSprop: each step is scaled by the root of a running mean of the gradient's square.

        g        ← gradient + weight_decay value
        v        ← rho v + (1 - rho) g²
        velocity ← momentum velocity + g / (√v + epsilon)
        value    ← value - learning_rate velocity

    The mean v and the velocity start at 0. Parameters that their layer declares with ``decay=False`` don't decay; in
    built-in layers, these are biases, scales and shifts.

    Args:
        learning_rate: the step length.
        rho: share of v that is kept from step to step.
        momentum: share of the velocity that is kept from step to step.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: factor of the value in g; 0 for no decay.

    Source: Tieleman and Hinton, Lecture 6.5: Divide the Gradient by a Running Average of its Recent Magnitude (2012),
        with their default of rho; epsilon, momentum and weight decay enter as in PyTorch.
    """

    learning_rate: Rate = 0.001
    _: KW_ONLY
    rho: Annotated[float, Ge(0), Lt(1)] = 0.9
    momentum: Annotated[Rate, Lt(1)] = 0.0
    epsilon: Annotated[float, Gt(0)] = 1e-8
    weight_decay: Rate = 0.0

    @property
    def slots(self) -> tuple[str, ...]:  # type: ignore[override]
        """The mean, and the velocity if there is momentum."""
        return ("v", "velocity") if self.momentum != 0 else ("v",)

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Take one step along the scaled gradient, or along the velocity."""
        g, v = gradient, slots["v"]
        self.add_decay(g, value, step)
        update_mean(v, self.rho, np.square(g))
        divide_by_root(g, v, self.epsilon)
        if "velocity" in slots:
            velocity = slots["velocity"]
            velocity *= self.now(self.momentum, step)
            velocity += g
            flush_subnormal(velocity)
            np.copyto(g, velocity)
        descend(value, g, step.learning_rate)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show the defaults, and momentum and weight decay."""
        return [{}, {"momentum": 0.9, "weight_decay": 0.01}]
