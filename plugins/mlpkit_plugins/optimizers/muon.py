"""Muon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from functools import cached_property
from math import sqrt
from typing import Annotated, Any, Final

import numpy as np
from annotated_types import Ge, Gt, Lt

from mlpkit import Array, Rate, Step
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.arithmetic import multiplied, update_mean
from mlpkit_plugins.optimizers.weight_decay import WeightDecay

COEFFICIENTS: Final = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS: Final = 5
LEAST_NORM: Final = 1e-7


class Muon(WeightDecay):
    """Momentum whose steps are made orthogonal, for matrices; AdamW for all other parameters.

        value    ← value - learning_rate weight_decay value
        velocity ← momentum velocity + (1 - momentum) gradient
        G        = momentum velocity + (1 - momentum) gradient
        X        = G / ‖G‖, then five times  X ← 3.4445 X - 4.7750 X Xᵀ X + 2.0315 X Xᵀ X Xᵀ X
        value    ← value - learning_rate √max(1, columns / rows) X

    These five steps of Newton and Schulz bring all singular values of X near 1. The velocity starts at 0. The columns
    of a matrix are the weights of its units. Other parameters, such as biases, scales and filters, take the steps of
    ``adamw`` with the learning rate other_rate learning_rate. Parameters that their layer declares with ``decay=False``
    skip the first line.

    Args:
        learning_rate: the step length for matrices.
        momentum: share of the velocity that is kept from step to step.
        weight_decay: share of the value that a step subtracts, divided by the learning rate; 0 for no decay.
        other_rate: learning rate of the other parameters, divided by that of matrices.
        beta1: share of their mean gradient that is kept from step to step.
        beta2: share of their mean square that is kept from step to step.
        epsilon: keeps their steps finite where gradients vanish; in the unit of the gradient.

    Source: Jordan and others, Muon: An Optimizer for Hidden Layers in Neural Networks (2024), with Nesterov's momentum;
        weight decay: Liu and others, Muon Is Scalable for LLM Training (2025).
    """

    sees = "parameters"

    learning_rate: Rate = 0.02
    _: KW_ONLY
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.95
    weight_decay: Rate = 0.0
    other_rate: Annotated[float, Ge(0)] = 0.05
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.9
    beta2: Annotated[float, Ge(0), Lt(1)] = 0.999
    epsilon: Annotated[float, Gt(0)] = 1e-8

    @cached_property
    def adamw(self) -> Adamw:
        """The optimizer of other parameters."""
        return Adamw(beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon, weight_decay=self.weight_decay)

    def slots_of(self, name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Return the velocity of a matrix, or both means of another parameter."""
        return {"velocity": shape} if len(shape) == 2 else {"m": shape, "v": shape}

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Take an orthogonal step for a matrix, and AdamW's step for anything else."""
        if value.ndim != 2:
            own_rate = self.other_rate * step.learning_rate
            self.adamw.update(value, gradient, slots, step._replace(learning_rate=own_rate))
            return
        velocity, (rows, columns) = slots["velocity"], value.shape
        update_mean(velocity, self.momentum, gradient)
        G = self.momentum * velocity + (1 - self.momentum) * gradient
        self.decay(value, step)
        value -= step.learning_rate * sqrt(max(1, columns / rows)) * orthogonalized(G)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show the defaults, and weight decay."""
        return [{}, {"weight_decay": 0.1}]


def orthogonalized(matrix: Array) -> Array:
    """Return a matrix with the same singular vectors, whose singular values are near 1 unless they were near 0."""
    a, b, c = COEFFICIENTS
    wide = matrix.shape[0] <= matrix.shape[1]
    X = matrix / max(float(np.linalg.norm(matrix)), LEAST_NORM)
    X = X if wide else X.T  # X Xᵀ then has the smaller side
    for _ in range(NEWTON_SCHULZ_STEPS):
        A = multiplied(X, X.T)
        X = a * X + multiplied(b * A + c * multiplied(A, A), X)
    return X if wide else X.T
