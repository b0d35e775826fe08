"""What Ctrl-C does to a training that Python code began."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any, Final

from mlpkit.training.events import StopRequest

PYTHONS_OWN: Final[dict[signal.Signals, Any]] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
"""What handles a signal unless something has set another handler."""


def interrupt_with(message: str, run: object) -> KeyboardInterrupt:
    """Return the exception for a Ctrl-C that stopped a training; its ``run`` is what was trained."""
    interrupt = KeyboardInterrupt(message)
    vars(interrupt)["run"] = run  # with a subclass, Python's exit code wouldn't show what ended the program
    return interrupt


class CtrlC:
    """Turns the first Ctrl-C in a block into a request that training stop; a second one ends it at once.

    Nothing changes outside the main thread, where Python allows no handlers, or if something else handles the signal
    already, as the command line does. The signals are SIGINT, or SIGTERM too; ``received`` tells whether there was one.
    """

    def __init__(self, stop: StopRequest, signals: Sequence[signal.Signals] = (signal.SIGINT,)) -> None:
        self.received = False
        self._stop = stop
        self._signals = signals
        self._handled: list[signal.Signals] = []

    def __enter__(self) -> CtrlC:
        """Install the handlers."""
        if threading.current_thread() is threading.main_thread():
            self._handled = [each for each in self._signals if signal.getsignal(each) is PYTHONS_OWN[each]]
            for each in self._handled:
                signal.signal(each, self._receive)
        return self

    def __exit__(self, *error: object) -> None:
        """Put Python's own handlers back."""
        for each in self._handled:
            signal.signal(each, PYTHONS_OWN[each])

    def _receive(self, number: int, frame: FrameType | None) -> None:
        for each in self._handled:
            signal.signal(each, PYTHONS_OWN[each])
        self.received = True
        self._stop.stop(signal.Signals(number).name)
