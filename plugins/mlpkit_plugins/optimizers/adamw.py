"""Adam with decoupled weight decay."""

from __future__ import annotations

from dataclasses import KW_ONLY

from mlpkit import Rate
from mlpkit_plugins.optimizers.adam import Adam
from mlpkit_plugins.optimizers.weight_decay import WeightDecay


class Adamw(WeightDecay, Adam):
    """Adam with decoupled weight decay, which stays out of the means.

        value ← value - learning_rate weight_decay value
        m     ← beta1 m + (1 - beta1) gradient
        v     ← beta2 v + (1 - beta2) gradient²
        m̂     = m / (1 - beta1^t)
        v̂     = v / (1 - beta2^t)
        value ← value - learning_rate m̂ / (√v̂ + epsilon)

    Here t is the number of the step, from 1; m and v start at 0. Parameters that their layer declares with
    ``decay=False`` skip the first line; in built-in layers, these are biases, scales and shifts.

    Args:
        learning_rate: the step length.
        beta1: share of the mean gradient that is kept from step to step.
        beta2: share of the mean square that is kept from step to step.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: share of the value that a step subtracts, divided by the learning rate; 0 for no decay.

    Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2, where the factor of the
        value is called λ and doesn't include the learning rate.
    """

    # The step is Adam's, which multiplies the value by ``kept``: with WeightDecay, 1 - learning_rate weight_decay.

    _: KW_ONLY
    weight_decay: Rate = 0.01
