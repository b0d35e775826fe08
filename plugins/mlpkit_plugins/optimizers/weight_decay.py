"""The base of optimizers with weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit import Array, Optimizer, Rate, Step


class WeightDecay(Optimizer):
    """An optimizer with a parameter ``weight_decay``.

    Decay is decoupled if it shrinks the value itself, and coupled if it is part of the gradient. Parameters that their
    layer declares with ``decay=False`` don't decay; in built-in layers these are biases, scales and shifts.
    """

    if TYPE_CHECKING:
        weight_decay: Rate  # each optimizer declares it as a field, with its own default
    else:  # for type checkers, an attribute that can be set

        @property
        def uses_decay(self) -> bool:
            """Whether any value decays."""
            return self.weight_decay != 0

    def kept(self, step: Step) -> float:
        """Return the share of the value that decoupled decay keeps, 1 - learning_rate weight_decay."""
        return 1 - step.learning_rate * self.now(self.weight_decay, step) * step.decay if self.weight_decay else 1.0

    def decay(self, value: Array, step: Step) -> None:
        """Let the value decay in place: value ← value - learning_rate weight_decay value."""
        if self.weight_decay and step.decay:
            value *= self.kept(step)

    def add_decay(self, gradient: Array, value: Array, step: Step) -> None:
        """Couple decay to the gradient in place: gradient ← gradient + weight_decay value."""
        if self.weight_decay and step.decay:
            gradient += self.now(self.weight_decay, step) * step.decay * value
