"""A loss: ``forward(x, t)`` returns the mean loss, ``backward()`` returns dx."""

from __future__ import annotations

import numpy as np

from mlpkit.array import Array
from mlpkit.components.loss import Loss
from mlpkit.components.target import Classes, Target, Values
from mlpkit.testing.outside_network import random_targets, standalone
from mlpkit.verbs.homework.kinds.passes import ROWS, PassesTask
from mlpkit.verbs.homework.kinds.task import literal


class LossTask(PassesTask):
    """A class with ``forward(x, t)`` and ``backward()``."""

    result = "the loss"

    @property
    def target(self) -> Target:
        """What is predicted."""
        return Classes(self.exercise.shape[0]) if self.exercise.classes else Values(self.exercise.shape)

    def built_in(self, rng: np.random.Generator) -> Loss:
        """Return the built-in."""
        loss: Loss = self.reference()
        return standalone(loss, self.exercise.shape, target=self.target, resolver=self.registry.create)

    def inputs(self, rng: np.random.Generator, rows: int = ROWS) -> list[Array]:
        """Return random x and t."""
        return [rng.normal(size=(rows, *self.exercise.shape)), random_targets(self.target, rows, rng)]

    def outer(self, y: Array, rng: np.random.Generator) -> list[Array]:
        """Return nothing: ``backward`` takes no arguments."""
        return []

    def words(self) -> dict[str, str]:
        """Return what differs in the files to hand out."""
        rng = np.random.default_rng(1)
        x, t = (each if each.dtype.kind == "i" else each.round(2) for each in self.inputs(rng, 3))
        return {
            "constructor": self.constructor(),
            "shape": f"(rows, {', '.join(map(str, self.exercise.shape))})",
            "target": str(self.target),
            "x": literal(x),
            "t": literal(t),
            "value": f"{float(self.built_in(rng).forward(x, t)):.6g}",
        }
