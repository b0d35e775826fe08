"""When a training ends before its full length."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Gt

from mlpkit.components.callback import Callback
from mlpkit.training.checkpointing import Best, BestTracker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.callback import TrainingView


class StopRequest:
    """A flag that a signal handler or another thread may set; training looks at it after each step."""

    def __init__(self) -> None:
        self.reason = ""

    def stop(self, reason: str) -> None:
        """Ask that training end after the step it is in.

        Args:
            reason: why, for the message to the user.
        """
        self.reason = reason


class EarlyStopping(Callback):
    """Ends training when a figure has not got better for some evaluations in a row.

    A figure that is not finite is no better than any other.

    Args:
        metric: ``loss`` or a metric's name.
        higher_is_better: whether larger values are better.
        patience: evaluations in a row that may be no better before the training ends.
        minimum_change: by how much a figure must be better to count.

    Source: Prechelt, Early Stopping - But When? (1998).
    """

    def __init__(self, metric: str, *, higher_is_better: bool, patience: int, minimum_change: float) -> None:
        self._ranking = BestTracker(metric, higher_is_better, minimum_change)
        self._patience = patience
        self._waited = 0

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Compare the figure with the best so far."""
        self._waited = 0 if self._ranking.improved(record) else self._waited + 1
        if self._waited >= self._patience:
            training.stop(f"{self._ranking.figure} is no better than {self._best()} for {self._waited} evaluations")

    def state(self) -> dict[str, Any]:
        """Return the best figure, and for how long there was no better one."""
        return {"best": self._ranking.best, "waited": self._waited}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        self._ranking.best = state["best"] and Best(*state["best"])
        self._waited = state["waited"]

    def _best(self) -> str:
        best = self._ranking.best
        return "before" if best is None else f"the {best.value:.4g} of step {best.step}"


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
