"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Lt

from mlpkit import Optimizer, ParameterError, Rate, Step
from mlpkit_plugins.kernels import descend, flush_subnormal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit import Array


class Sgd(Optimizer):
    """Stochastic gradient descent, plain, with momentum, or with Nesterov's momentum.

        all:       g        ← gradient + weight_decay value
        plain:     value    ← value - learning_rate g
        momentum:  velocity ← momentum velocity + g
                   value    ← value - learning_rate velocity
        Nesterov:  velocity ← momentum velocity + g
                   value    ← value - learning_rate (g + momentum velocity)

    The velocity is 0 at first. The slot holds the product momentum velocity, which the next step begins with: if
    momentum changes over time, that of a step says what the next one keeps. Parameters that their layer
    declares with ``decay=False`` don't decay, which are the biases, scales and shifts of built-in layers: their g is
    the gradient.

    Args:
        learning_rate: the step length.
        momentum: share that is kept of the velocity from step to step; 0 is plain descent.
        nesterov: whether to look one step ahead along the velocity; needs momentum.
        weight_decay: what the value counts for in g; 0 for no decay.

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
        self.uses_decay = weight_decay != 0
        self.slots = ("velocity",) if momentum != 0 else ()

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Take one step down the gradient, or along the velocity."""
        if step.decay and self.uses_decay:
            gradient += self.now(self.weight_decay, step) * step.decay * value
        if self.slots:
            momentum, velocity = self.now(self.momentum, step), slots["velocity"]
            np.add(velocity, gradient, out=velocity)
            if self.nesterov:
                np.multiply(velocity, momentum, out=velocity)
                flush_subnormal(velocity)
                np.add(gradient, velocity, out=gradient)
            else:
                np.copyto(gradient, velocity)
                np.multiply(velocity, momentum, out=velocity)
                flush_subnormal(velocity)
        descend(value, gradient, step.learning_rate)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it plain, with momentum, and with Nesterov's and weight decay."""
        return [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}]
