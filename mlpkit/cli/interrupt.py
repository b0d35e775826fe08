"""What Ctrl-C, SIGTERM and a closed terminal do to a training run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import click

from mlpkit.system import HANG_UP, STOP_SIGNALS
from mlpkit.terminal import output
from mlpkit.training.events import Event, StopRequest


class Interrupted(KeyboardInterrupt):
    """A signal came when there was nothing to finish."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.exit_code = 128 + number


class Interrupts:
    """Turns the first signal into an orderly end; a second one ends the program at once.

    Before training starts the orderly end is an exception; then it is a request that training stop after the
    step it is in. Signals that were ignored stay ignored, as under ``nohup``. Outside the main thread, where
    Python allows no handlers, nothing changes.
    """

    def __init__(self) -> None:
        self.stop = StopRequest()
        self.received: signal.Signals | None = None
        self.training_began = False
        self.before_stopping: Callable[[], None] = lambda: None
        self._earlier: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                earlier = signal.getsignal(number)
                if earlier is not signal.SIG_IGN:
                    self._earlier[number] = earlier
                    signal.signal(number, self._receive)
        return self

    def __exit__(self, *error: object) -> None:
        for number, earlier in self._earlier.items():
            signal.signal(number, signal.SIG_DFL if earlier is None else earlier)  # None: not set from Python
        output.readers_may_be_gone(False)

    def __call__(self, event: Event) -> None:
        """Receive an event: from the first beginning on, there is something to finish."""
        if event.kind.endswith(("began", "started")):
            self.training_began = True

    @property
    def exit_code(self) -> int:
        """What the program ends with: 0 if no signal came."""
        return 128 + self.received if self.received else 0

    def _receive(self, number: int, frame: FrameType | None) -> None:
        for each in self._earlier:
            signal.signal(each, signal.SIG_DFL)
        self.received = signal.Signals(number)
        if number == HANG_UP:
            output.readers_may_be_gone(True)
        self.stop.stop(self.received.name)
        self.before_stopping()
        if not self.training_began:
            raise Interrupted(self.received)


def end_if_stopped(interrupts: Interrupts, reason: str) -> None:
    """End the program with the exit code of the signal that came; a run stopped from elsewhere ends as by Ctrl-C."""
    if interrupts.received or reason:
        raise click.exceptions.Exit(interrupts.exit_code or 128 + signal.SIGINT)
