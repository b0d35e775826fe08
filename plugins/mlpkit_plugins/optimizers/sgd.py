"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Lt

from mlpkit import Array, ParameterError, Rate, Step
from mlpkit_plugins.kernels import descend, flush_subnormal
from mlpkit_plugins.optimizers.weight_decay import WeightDecay


class Sgd(WeightDecay):
    """Stochastic gradient descent, plain, with momentum, or with Nesterov's momentum.

        all:       g        ← gradient + weight_decay value
        plain:     value    ← value - learning_rate g
        momentum:  velocity ← momentum velocity + g
                   value    ← value - learning_rate velocity
        Nesterov:  velocity ← momentum velocity + g
                   value    ← value - learning_rate (g + momentum velocity)

    The velocity starts at 0. The slot holds momentum velocity, the first term of the next velocity: if momentum changes
    over time, its value in one step decides what the next step keeps. Parameters that their layer declares with
    ``decay=False`` don't decay; in built-in layers, these are biases, scales and shifts.

    Args:
        learning_rate: the step length.
        momentum: share of the velocity that is kept from step to step; 0 for plain descent.
        nesterov: whether to look one step ahead along the velocity; needs momentum.
        weight_decay: factor of the value in g; 0 for no decay.

    Raises:
        ParameterError: ``nesterov`` without momentum.

    Source: Robbins and Monro, A Stochastic Approximation Method (1951); momentum and its Nesterov form: Sutskever,
        Martens, Dahl and Hinton, On the Importance of Initialization and Momentum in Deep Learning (2013), with the
        learning rate outside the velocity; weight decay: Krogh and Hertz, A Simple Weight Decay Can Improve
        Generalization (1992).
    """

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        *,
        momentum: Annotated[Rate, Lt(1)] = 0.0,
        nesterov: bool = False,
        weight_decay: Rate = 0.0,
    ) -> None:
        if nesterov and momentum == 0:
            raise ParameterError(
                "nesterov",
                "Nesterov's form needs momentum, and momentum is 0",
                remedy="give momentum as well, such as 0.9, or leave nesterov out",
            )
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.slots = ("velocity",) if momentum != 0 else ()

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Take one step down the gradient, or along the velocity."""
        g = gradient
        self.add_decay(g, value, step)
        if self.slots:
            velocity = slots["velocity"]
            velocity += g
            if not self.nesterov:
                np.copyto(g, velocity)
            velocity *= self.now(self.momentum, step)
            flush_subnormal(velocity)
            if self.nesterov:
                g += velocity
        descend(value, g, step.learning_rate)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show plain descent, momentum, and Nesterov's momentum with weight decay."""
        return [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}]
