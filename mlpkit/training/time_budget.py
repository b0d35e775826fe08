"""Ending a training when its time is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Gt

from mlpkit.components.callback import Callback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.callback import TrainingView


class TimeBudget(Callback):
    """Ends training after a time, evaluations included; what was done before a resume counts, the break doesn't.

    Args:
        seconds: how long to train.
    """

    def __init__(self, seconds: Annotated[float, Gt(0)]) -> None:
        self.seconds = seconds
        self._spent_before = 0.0
        self._began: float | None = None

    def on_start(self, training: TrainingView) -> None:
        """Look at the clock."""
        self._began = time.monotonic()

    def on_step(self, training: TrainingView, loss: float) -> None:
        """Ask to stop if the time is over."""
        if self._spent() >= self.seconds:
            training.stop(f"the time of {self.seconds:g} s is over")

    def state(self) -> dict[str, Any]:
        """Return the time that was spent."""
        return {"seconds": self._spent()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back the time that was spent."""
        self._spent_before = state["seconds"]

    def _spent(self) -> float:
        return self._spent_before + (0.0 if self._began is None else time.monotonic() - self._began)
