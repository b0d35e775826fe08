"""What Ctrl-C does to a training that Python code began."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from mlpkit.training.events import StopRequest


class CtrlC:
    """Turns the first Ctrl-C in a block into a request that training stop; a second one ends it at once.

    Nothing changes outside the main thread, where Python allows no handlers, or if something else handles SIGINT
    already, as the command line does.

    Args:
        stop: the request.

    Attributes:
        received: whether there was one.
    """

    def __init__(self, stop: StopRequest) -> None:
        self.received = False
        self._stop = stop
        self._handles = False

    def __enter__(self) -> CtrlC:
        """Install the handler."""
        in_main_thread = threading.current_thread() is threading.main_thread()
        self._handles = in_main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._handles:
            signal.signal(signal.SIGINT, self._receive)
        return self

    def __exit__(self, *error: object) -> None:
        """Put Python's own handler back."""
        if self._handles:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.received = True
        self._stop.stop(signal.Signals(number).name)
