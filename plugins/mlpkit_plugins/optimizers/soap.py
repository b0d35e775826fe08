"""SOAP."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt

from mlpkit import Optimizer, Rate, Step
from mlpkit_plugins.optimizers.adam_step import adam_step
from mlpkit_plugins.optimizers.division_by_root import divide_by_root
from mlpkit_plugins.optimizers.matrix_products import multiplied
from mlpkit_plugins.optimizers.running_mean import update_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit import Array


class Soap(Optimizer):
    """Adam in the directions in which the gradients of a matrix vary most, with decoupled weight decay.

        value ← value - learning_rate weight_decay value
        m     ← beta1 m + (1 - beta1) G
        v     ← beta2 v + (1 - beta2) (Qₗᵀ G Qᵣ)²
        N     = Qₗ (Qₗᵀ m̂ Qᵣ / (√v̂ + epsilon)) Qᵣᵀ     m̂ and v̂: corrected as in ``adamw``
        value ← value - learning_rate N
        L     ← beta2 L + (1 - beta2) G Gᵀ              R the same with Gᵀ G
        Qₗ    ← the orthogonal factor of L Qₗ           Qᵣ that of R Qᵣ, every ``refresh`` steps

    Here G is the gradient, and all means are 0 at first. The first step moves no matrix: it makes Qₗ and Qᵣ, the
    eigenvectors of L and R. Parameters that are no matrices, such as biases, scales and filters, take the steps of
    ``adamw``. For parameters that their layer declares with ``decay=False``, the first line is left out.

    Args:
        learning_rate: the step length.
        beta1: share that is kept of the mean gradient from step to step.
        beta2: share that is kept of the mean squares from step to step.
        epsilon: keeps the step finite where gradients vanish; in the unit of the gradient.
        weight_decay: share of the value that is subtracted in a step, divided by the learning rate; 0 for no decay.
        refresh: steps after which the directions are improved.
        longest_side: sides of matrices that are longer keep their own directions, since Q has their square in elements.

    Source: Vyas and others, SOAP: Improving and Stabilizing Shampoo using Adam (2024), algorithm 3; the corrections and
        the first step are those of its authors' code.
    """

    sees = "parameters"

    def __init__(
        self,
        learning_rate: Rate = 0.003,
        *,
        beta1: Annotated[float, Ge(0), Lt(1)] = 0.95,
        beta2: Annotated[float, Ge(0), Lt(1)] = 0.95,
        epsilon: Annotated[float, Gt(0)] = 1e-8,
        weight_decay: Rate = 0.01,
        refresh: Annotated[int, Ge(1)] = 10,
        longest_side: Annotated[int, Ge(0)] = 2048,
    ) -> None:
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.refresh = refresh
        self.longest_side = longest_side
        self.uses_decay = weight_decay != 0

    def slots_of(self, name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Return both means, and for each side of a matrix L or R and its directions Q."""
        slots = {"m": shape, "v": shape}
        if len(shape) == 2:
            for side, length in zip(("left", "right"), shape, strict=True):
                if length <= self.longest_side:
                    slots |= {side: (length, length), f"{side}_directions": (length, length)}
        return slots

    def update(self, value: Array, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        """Take the step of a matrix, or that of AdamW."""
        weight_decay = self.now(self.weight_decay, step) * step.decay if self.uses_decay else 0.0
        kept = 1 - step.learning_rate * weight_decay
        if value.ndim == 2:
            if step.number > 1:
                self._update_matrix(value, gradient, slots, step, kept)
            self._update_directions(gradient, slots, step)
        else:
            adam_step(self, value, gradient, slots, step.number, step.learning_rate, kept)

    def _update_matrix(
        self,
        value: Array,
        gradient: Array,
        slots: Mapping[str, Array],
        step: Step,
        kept: float,
    ) -> None:
        m, v, t = slots["m"], slots["v"], step.number - 1
        correction1, correction2 = 1 - self.beta1**t, 1 - self.beta2**t
        left, right = slots.get("left_directions"), slots.get("right_directions")
        update_mean(m, self.beta1, gradient)
        update_mean(v, self.beta2, np.square(_rotated(gradient, left, right)))
        normalized = _rotated(m, left, right)
        divide_by_root(normalized, v, self.epsilon * sqrt(correction2))
        value *= kept
        length = step.learning_rate * sqrt(correction2) / correction1
        value -= length * _rotated(normalized, _transposed(left), _transposed(right))

    def _update_directions(self, gradient: Array, slots: Mapping[str, Array], step: Step) -> None:
        for side, oriented in (("left", gradient), ("right", gradient.T)):
            if side not in slots:
                continue
            products, directions = slots[side], slots[f"{side}_directions"]
            update_mean(products, self.beta2, multiplied(oriented, oriented.T))
            if not np.isfinite(products).all():
                continue  # the trainer reports the slot
            if step.number == 1:
                directions[...] = eigenvectors(products)
            elif (step.number - 1) % self.refresh == 0:
                directions[...] = np.linalg.qr(multiplied(products, directions))[0]

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it as it is, and with short sides only, improved often."""
        return [{}, {"weight_decay": 0, "refresh": 1, "longest_side": 6}]


def eigenvectors(products: Array) -> Array:
    """Return the eigenvectors of a symmetric matrix as columns, those of larger eigenvalues first.

    Any directions would do where the eigenvalue is 0. These are as near to the axes as the others allow, so that they
    don't depend on rounding.

    Args:
        products: shape (length, length); no eigenvalue is negative.
    """
    eigenvalues, vectors = np.linalg.eigh(products)
    length = len(products)
    least = eigenvalues[-1] * length * np.finfo(products.dtype).eps
    known = vectors[:, eigenvalues > least][:, ::-1]
    return np.linalg.qr(np.hstack([known, np.eye(length, dtype=products.dtype)]))[0]


def _rotated(matrix: Array, left: Array | None, right: Array | None) -> Array:
    """Return leftᵀ matrix right, a new array; None stands for the identity."""
    rotated = matrix.copy() if left is None else multiplied(left.T, matrix)
    return rotated if right is None else multiplied(rotated, right)


def _transposed(matrix: Array | None) -> Array | None:
    return None if matrix is None else matrix.T
