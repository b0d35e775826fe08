"""Examples on which optimizers are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.optimizer import Step
from mlpkit.components.schedule import Progress, rate_at
from mlpkit.testing.suite.examples.example import Example

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.optimizer import Optimizer
    from mlpkit.testing.suite.comparison import Arrays

VALUE: Final = "the parameters"
SIZE: Final = 53
"""Elements of the flat array; not a multiple of the vector length of any processor."""


class OptimizerExample(Example):
    """An optimizer on a flat array of parameters."""

    def start(self, optimizer: Optimizer, dtype: str = "float64", size: int = SIZE) -> Arrays:
        """Return parameters and slots before the first step, by name."""
        value = self.random("value").normal(size=size).astype(dtype)
        return {VALUE: value} | {slot: np.zeros(size, dtype) for slot in optimizer.slots}

    def gradient(self, step: int, dtype: str = "float64", size: int = SIZE) -> NDArray[Any]:
        """Return the gradient of a step, counted from 1."""
        return self.random("gradient", step).normal(size=size).astype(dtype)

    def step(
        self,
        optimizer: Optimizer,
        arrays: Arrays,
        gradient: NDArray[Any],
        *,
        step: int = 1,
        decay: bool = True,
        learning_rate: float | None = None,
    ) -> None:
        """Call ``update`` once, as the trainer would on one block."""
        if learning_rate is None:
            learning_rate = rate_at(optimizer.learning_rate, Progress(step - 1, (step - 1) / 10, 100))
        slots = {slot: arrays[slot] for slot in optimizer.slots}
        optimizer.update(arrays[VALUE], gradient, slots, Step(learning_rate, step, decay))
        for slot in optimizer.slots:
            arrays[slot] = slots[slot]

    def run(self, steps: int = 3, dtype: str = "float64") -> Arrays:
        """Take steps with a new optimizer, and return parameters and slots."""
        optimizer = self.make()
        arrays = self.start(optimizer, dtype)
        for step in range(1, steps + 1):
            self.step(optimizer, arrays, self.gradient(step, dtype), step=step)
        return arrays

    def exercise(self) -> Arrays:
        """Take steps in both dtypes."""
        return {
            f"{what} in {dtype}": array
            for dtype in ("float32", "float64")
            for what, array in self.run(dtype=dtype).items()
        }
