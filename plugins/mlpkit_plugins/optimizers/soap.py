"""SOAP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from functools import cached_property
from math import sqrt
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt

from mlpkit import Array, Rate, Step
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.arithmetic import divide_by_root, multiplied, update_mean
from mlpkit_plugins.optimizers.weight_decay import WeightDecay


class Soap(WeightDecay):
    """Adam in the directions in which the gradients of a matrix vary most, with decoupled weight decay.

        value ← value - learning_rate weight_decay value
        m     ← beta1 m + (1 - beta1) G
        v     ← beta2 v + (1 - beta2) (Qₗᵀ G Qᵣ)²
        N     = Qₗ (Qₗᵀ m̂ Qᵣ / (√v̂ + epsilon)) Qᵣᵀ     m̂ and v̂: corrected as in ``adamw``
        value ← value - learning_rate N
        L     ← beta2 L + (1 - beta2) G Gᵀ              R the same with Gᵀ G
        Qₗ    ← the orthogonal factor of L Qₗ           Qᵣ that of R Qᵣ, every ``refresh`` steps

    Here G is the gradient, and all means start at 0. The first step moves no matrix: it makes Qₗ and Qᵣ, the
    eigenvectors of L and R. Other parameters, such as biases, scales and filters, take the steps of ``adamw``.
    Parameters that their layer declares with ``decay=False`` skip the first line.

    Args:
        learning_rate: the step length.
        beta1: share of the mean gradient that is kept from step to step.
        beta2: share of the mean squares that is kept from step to step.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: share of the value that a step subtracts, divided by the learning rate; 0 for no decay.
        refresh: steps after which the directions are improved.
        longest_side: a longer side of a matrix isn't rotated, since Q has its square in elements.

    Source: Vyas and others, SOAP: Improving and Stabilizing Shampoo using Adam (2024), algorithm 3; the corrections and
        the first step follow the authors' code.
    """

    sees = "parameters"

    learning_rate: Rate = 0.003
    _: KW_ONLY
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.95
    beta2: Annotated[float, Ge(0), Lt(1)] = 0.95
    epsilon: Annotated[float, Gt(0)] = 1e-8
    weight_decay: Rate = 0.01
    refresh: Annotated[int, Ge(1)] = 10
    longest_side: Annotated[int, Ge(0)] = 2048

    @cached_property
    def adamw(self) -> Adamw:
        """The optimizer of other parameters."""
        return Adamw(beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon, weight_decay=self.weight_decay)

    def slots_of(self, name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Return both means, and for each side of a matrix L or R and its directions Q."""
        slots = {"m": shape, "v": shape}
        if len(shape) == 2:
            for side, length in zip(("left", "right"), shape, strict=True):
                if length <= self.longest_side:
                    slots |= {side: (length, length), f"{side}_directions": (length, length)}
        return slots

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Take a rotated step for a matrix, and AdamW's step for anything else."""
        if value.ndim != 2:
            self.adamw.update(value, gradient, slots, step)
            return
        if step.number > 1:
            self._update_matrix(value, gradient, slots, step)
        self._update_directions(gradient, slots, step)

    def _update_matrix(self, value: Array, G: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Update m and v, and move the value along N."""
        m, v, t = slots["m"], slots["v"], step.number - 1
        Ql, Qr = slots.get("left_directions"), slots.get("right_directions")
        update_mean(m, self.beta1, G)
        update_mean(v, self.beta2, np.square(_rotated(G, Ql, Qr)))
        N = _rotated(m, Ql, Qr)
        root = sqrt(1 - self.beta2**t)  # √v̂ = √v / root, so both sides of the quotient are multiplied by it
        divide_by_root(N, v, self.epsilon * root)
        N = _rotated(N, _transposed(Ql), _transposed(Qr))
        self.decay(value, step)
        value -= step.learning_rate * root / (1 - self.beta1**t) * N

    def _update_directions(self, G: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Update L and R, and now and then Qₗ and Qᵣ."""
        for side, oriented in (("left", G), ("right", G.T)):
            if side not in slots:
                continue
            L, Q = slots[side], slots[f"{side}_directions"]
            update_mean(L, self.beta2, multiplied(oriented, oriented.T))
            if not np.isfinite(L).all():
                continue  # the trainer reports the slot
            if step.number == 1:
                Q[...] = eigenvectors(L)
            elif (step.number - 1) % self.refresh == 0:
                Q[...] = np.linalg.qr(multiplied(L, Q))[0]

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show the defaults, and short sides only, improved often."""
        return [{}, {"weight_decay": 0, "refresh": 1, "longest_side": 6}]


def eigenvectors(products: Array) -> Array:
    """Return the eigenvectors of a symmetric, positive semidefinite matrix as columns, largest eigenvalue first.

    For the eigenvalue 0 any directions would do. They are chosen as near to the axes as possible, so that rounding
    doesn't change them.
    """
    eigenvalues, vectors = np.linalg.eigh(products)
    length = len(products)
    least = eigenvalues[-1] * length * np.finfo(products.dtype).eps
    known = vectors[:, eigenvalues > least][:, ::-1]
    return np.linalg.qr(np.hstack([known, np.eye(length, dtype=products.dtype)]))[0]


def _rotated(matrix: Array, left: Array | None, right: Array | None) -> Array:
    """Return leftᵀ matrix right as a new array; None is the identity."""
    rotated = matrix.copy() if left is None else multiplied(left.T, matrix)
    return rotated if right is None else multiplied(rotated, right)


def _transposed(matrix: Array | None) -> Array | None:
    return None if matrix is None else matrix.T
