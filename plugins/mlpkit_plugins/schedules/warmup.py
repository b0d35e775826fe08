"""Linear warmup."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge

from mlpkit import Progress, Schedule


class Warmup(Schedule):
    """Another schedule, scaled up linearly over the first steps.

        value(step) = schedule(step) min(1, (step + 1) / steps)

    The first gradients, and an optimizer's averages of them, say little; so these steps are small.

    Args:
        schedule: the schedule to scale; it begins with the first step, not after the warmup.
        steps: number of steps of the warmup; the last of them has the schedule's own value.

    Raises:
        OpenEndedError: the schedule raises it, since it needs the number of steps of a training that ends after a time.

    Source: Goyal and others, Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour (2017), section 2.2.
    """

    schedule: Schedule
    steps: Annotated[int, Ge(1)]

    def __call__(self, progress: Progress) -> float:
        """Return the value for the step that comes next."""
        return self.schedule(progress) * min(1.0, (progress.step + 1) / self.steps)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show the way up to a constant, and to half a cosine."""
        return [
            {"schedule": {"constant": {"value": 0.1}}, "steps": 5},
            {"schedule": {"cosine": {"first": 0.1}}, "steps": 10},
        ]
