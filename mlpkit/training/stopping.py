"""Asking from outside that a training end."""

from __future__ import annotations


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
