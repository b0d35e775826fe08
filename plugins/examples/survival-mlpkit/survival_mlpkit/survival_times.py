"""The target: times, and what ended them."""

from dataclasses import dataclass

import numpy as np

from mlpkit import Target


@dataclass(frozen=True)
class SurvivalTimes(Target):
    """A row's time, and 1 if an event ended it or 0 if only the observation did.

    Args:
        unit: the unit of the times.
    """

    unit: str = ""

    def array(self, dtype):
        """Return that a target is two numbers: time and event."""
        return (2,), dtype

    def random_examples(self, rows, rng):
        """Return made-up risks, and targets with ties, of which most are events."""
        times = rng.integers(1, 6, rows).astype(float)
        return rng.normal(size=(rows, 1)), np.column_stack((times, rng.uniform(size=rows) < 0.7))

    def __str__(self):
        """Describe the target in messages."""
        return f"survival times in {self.unit}" if self.unit else "survival times"
