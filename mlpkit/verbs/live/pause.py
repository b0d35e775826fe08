"""A request to stop that can also hold a training between two steps."""

from __future__ import annotations

import time

from mlpkit.training.events import StopRequest

SECONDS_BETWEEN_LOOKS = 0.05


class PausableStopRequest(StopRequest):
    """A request to stop that can also hold training between two steps: reading the reason waits while it is paused."""

    def __init__(self) -> None:
        self.paused = self.waiting = False
        self.asked = ""

    @property
    def reason(self) -> str:
        """Why training must end; empty if it continues."""
        while self.paused and not self.asked:
            self.waiting = True
            time.sleep(SECONDS_BETWEEN_LOOKS)  # a lock could be held by what a signal handler has interrupted
        self.waiting = False
        return self.asked

    @reason.setter
    def reason(self, reason: str) -> None:
        self.asked = reason
