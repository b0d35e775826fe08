"""The constant schedule."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge

from mlpkit import Progress, Schedule


class Constant(Schedule):
    """The same value at every step.

        value(step) = value

    Args:
        value: the value; a learning rate of 0 trains nothing.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 8.3.1, algorithm 8.1.
    """

    value: Annotated[float, Ge(0)]

    def __call__(self, progress: Progress) -> float:
        """Return the value."""
        return self.value

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show a value."""
        return [{"value": 0.1}]
