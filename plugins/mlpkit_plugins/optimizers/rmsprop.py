"""RMSprop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt

from mlpkit import Optimizer, Rate, Step
from mlpkit_plugins.kernels import descend, flush_subnormal
from mlpkit_plugins.optimizers.division_by_root import divide_by_root
from mlpkit_plugins.optimizers.running_mean import update_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit import Array


class Rmsprop(Optimizer):
    """RMSprop: each step is scaled by the root of a running mean of the gradient's square.

        g        ← gradient + weight_decay value
        v        ← rho v + (1 - rho) g²
        velocity ← momentum velocity + g / (√v + epsilon)
        value    ← value - learning_rate velocity

    The mean v and the velocity are 0 at first. Parameters that their layer declares with ``decay=False`` don't decay,
    which are the biases, scales and shifts of built-in layers: their g is the gradient.

    Args:
        learning_rate: the step length.
        rho: share that is kept of the mean square from step to step.
        momentum: share that is kept of the velocity from step to step.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: what the value counts for in g; 0 for no decay.

    Source: Tieleman and Hinton, Lecture 6.5: Divide the Gradient by a Running Average of its Recent Magnitude (2012);
        the default of rho is theirs. Epsilon, momentum and weight decay stand where PyTorch has them.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        *,
        rho: Annotated[float, Ge(0), Lt(1)] = 0.9,
        momentum: Annotated[Rate, Lt(1)] = 0.0,
        epsilon: Annotated[float, Gt(0)] = 1e-8,
        weight_decay: Rate = 0.0,
    ) -> None:
        self.learning_rate = learning_rate
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.uses_decay = weight_decay != 0
        self.slots = ("v", "velocity") if momentum != 0 else ("v",)

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Take one step along the scaled gradient, or along the velocity."""
        if step.decay and self.uses_decay:
            gradient += self.now(self.weight_decay, step) * step.decay * value
        v = slots["v"]
        update_mean(v, self.rho, np.square(gradient))
        divide_by_root(gradient, v, self.epsilon)
        if "velocity" in self.slots:
            velocity = slots["velocity"]
            velocity *= self.now(self.momentum, step)
            velocity += gradient
            flush_subnormal(velocity)
            np.copyto(gradient, velocity)
        descend(value, gradient, step.learning_rate)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it as it is, and with momentum and weight decay."""
        return [{}, {"momentum": 0.9, "weight_decay": 0.01}]
