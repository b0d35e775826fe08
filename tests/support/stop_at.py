"""Stops a training, as a signal does."""

from __future__ import annotations

from mlpkit.training.events import Observer, StopRequest


class StopAt(Observer):
    """Asks to stop at an evaluation.

    Args:
        iteration: the iteration after which it is done; None never stops.
    """

    def __init__(self, iteration: int | None) -> None:
        self.iteration = iteration
        self.stop = StopRequest()

    def evaluated(self, record, seconds):
        if record["iteration"] == self.iteration:
            self.stop.stop("SIGTERM")
