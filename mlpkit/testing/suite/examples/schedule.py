"""Examples on which schedules are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit.components.schedule import Progress
from mlpkit.testing.suite.examples.example import Example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.testing.suite.comparison import Arrays

STEPS_PER_EPOCH = 10


class ScheduleExample(Example):
    """A schedule over trainings of several lengths."""

    sample = "[{'peak': 0.1}]"

    def exercise(self) -> Arrays:
        """Evaluate the schedule before every step of a training."""
        schedule = self.make()
        return {"the values": np.array([schedule(progress) for progress in training(25)], np.float64)}


def training(total_steps: int) -> Iterator[Progress]:
    """Go through the progress before each step of a training, a new object for each."""
    for step in range(total_steps):
        yield Progress(step, step / STEPS_PER_EPOCH, total_steps)
