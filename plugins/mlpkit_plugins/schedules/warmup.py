"""Linear warmup."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge

from mlpkit import Progress, Schedule


class Warmup(Schedule):
    """Another schedule, scaled up linearly over the first steps.

        value(step) = schedule(step) min(1, (step + 1) / steps)

    These steps are small because the first gradients, and an optimizer's averages of them, are poor estimates.

    Args:
        schedule: the schedule to scale; it starts at the first step, not after the warmup.
        steps: number of steps of the warmup; the last of them has the schedule's value.

    Raises:
        OpenEndedError: raised by the schedule if the training ends after a given time and it needs the number of steps.

    Source: Goyal and others, Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour (2017), section 2.2.
    """

    schedule: Schedule
    steps: Annotated[int, Ge(1)]

    def __call__(self, progress: Progress) -> float:
        """Return the value for the next step."""
        return self.schedule(progress) * min(1.0, (progress.step + 1) / self.steps)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show a warmup to a constant, and to half a cosine."""
        return [
            {"schedule": {"constant": {"value": 0.1}}, "steps": 5},
            {"schedule": {"cosine": {"first": 0.1}}, "steps": 10},
        ]
