"""Examples and checks of schedules: the value is a finite function of the progress."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Final

import numpy as np

from mlpkit.components.schedule import Progress
from mlpkit.testing.suite.check import Arrays, checks_examples, require
from mlpkit.testing.suite.plugin_under_test import Example

STEPS_PER_EPOCH = 10


class ScheduleExample(Example):
    """A schedule over trainings of several lengths."""

    sample = "[{'peak': 0.1}]"

    def exercise(self) -> Arrays:
        """Evaluate the schedule before every step of a training."""
        schedule = self.make()
        return {"the values": np.array([schedule(progress) for progress in training(25)], np.float64)}


def training(total_steps: int) -> Iterator[Progress]:
    """Yield the progress before each step of a training, as a new object each time."""
    for step in range(total_steps):
        yield Progress(step, step / STEPS_PER_EPOCH, total_steps)


LENGTHS: Final = (1, 2, 3, 10, 1000)


@checks_examples("schedule")
def is_finite_over_the_whole_run(example: ScheduleExample) -> None:
    """Is the value a finite number before every step of trainings of 1 step up to 1000?

    The shortest trainings reveal divisions by zero.
    """
    for total in LENGTHS:
        schedule = example.make()
        for progress in training(total):
            value = schedule(progress)
            is_number = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
            happened = f"the value before step {progress.step + 1} of {total} is {value!r}"
            require(is_number and isfinite(value), happened, expected="a finite number")


@checks_examples("schedule")
def depends_on_the_progress_alone(example: ScheduleExample) -> None:
    """Is the value the same for calls in any order?

    A schedule may be called more than once for a step, and a resumed training starts in the middle.
    """
    forwards, backwards = example.make(), example.make()
    values = [forwards(progress) for progress in training(20)]
    again = [backwards(progress) for progress in list(training(20))[::-1]][::-1]
    for step, (one, other) in enumerate(zip(values, again, strict=True)):
        require(
            one == other,
            f"the value before step {step + 1} is {one:g} when called in order, and {other:g} in reverse order",
            expected="a function of the progress",
            remedy="compute it from progress.step, progress.epoch and progress.total_steps, without counting calls",
        )
