"""Schedules that break what schedules promise."""

from __future__ import annotations

from kill_matrix import caught_by
from sound import Falling


@caught_by("is_finite_over_the_whole_run")
class DividesByTheRest(Falling):
    """divides by zero in a training of one step"""

    def __call__(self, progress):
        return 0.1 * progress.step / (progress.total_steps - 1)


@caught_by("is_finite_over_the_whole_run")
class EndsInInfinity(Falling):
    """is infinite at its last step"""

    def __call__(self, progress):
        return 0.1 if progress.step < progress.total_steps - 1 else float("inf")


@caught_by("depends_on_the_progress_alone")
class CountsItsCalls(Falling):
    """counts how often it was asked"""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, progress):
        self.calls += 1
        return 0.1 / self.calls


@caught_by("is_finite_over_the_whole_run")
class OnOrOff(Falling):
    """says whether to learn"""

    def __call__(self, progress):
        return progress.step >= 0


@caught_by("is_finite_over_the_whole_run")
class EndsAfterManySteps(Falling):
    """is not a number in a long training"""

    def __call__(self, progress):
        return 0.1 if progress.step < 999 else float("nan")
