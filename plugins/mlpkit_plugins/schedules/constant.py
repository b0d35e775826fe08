"""The schedule that doesn't change."""

from __future__ import annotations

from typing import Any

from mlpkit import Progress, Schedule


class Constant(Schedule):
    """The same value at every step.

        value(step) = value

    Args:
        value: the value.
    """

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, progress: Progress) -> float:
        """Return the value."""
        return self.value

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show a value."""
        return [{"value": 0.1}]
