"""Adam with decoupled weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Lt

from mlpkit import Optimizer, Rate, Step
from mlpkit_plugins.optimizers.adam_step import adam_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit import Array


class Adamw(Optimizer):
    """Adam with decoupled weight decay, which is kept out of the means.

        value ← value - learning_rate weight_decay value
        m     ← beta1 m + (1 - beta1) gradient
        v     ← beta2 v + (1 - beta2) gradient²
        m̂     = m / (1 - beta1^t)
        v̂     = v / (1 - beta2^t)
        value ← value - learning_rate m̂ / (√v̂ + epsilon)

    Here t is the number of the step, from 1, and m and v are 0 at first. For parameters that their layer declares with
    ``decay=False``, which are the biases, scales and shifts of built-in layers, the first line is left out.

    Args:
        learning_rate: the step length.
        beta1: share that is kept of the mean gradient from step to step.
        beta2: share that is kept of the mean square from step to step.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: share of the value that is subtracted in a step, divided by the learning rate; 0 for no decay.

    Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2, where the factor of the
        value is called λ and does not include the learning rate.
    """

    slots = ("m", "v")
    slots_version = 2

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        *,
        beta1: Annotated[float, Ge(0), Lt(1)] = 0.9,
        beta2: Annotated[float, Ge(0), Lt(1)] = 0.999,
        epsilon: Annotated[float, Gt(0)] = 1e-8,
        weight_decay: Rate = 0.01,
    ) -> None:
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.uses_decay = weight_decay != 0

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Let the value decay if it should, then take one step along the corrected means."""
        kept = 1 - step.learning_rate * self.now(self.weight_decay, step) * step.decay
        adam_step(self, value, gradient, slots, step.number, step.learning_rate, kept)
