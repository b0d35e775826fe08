"""The events of a run, for whoever shows or records it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.components.schedule import Progress
    from mlpkit.errors import Diagnostic
    from mlpkit.training.evaluation import Record


class Observer:
    """Is told how training goes; each method does nothing unless it is written."""

    def resumed(self, step: int) -> None:
        """Training will go on from a checkpoint after that step; told before ``started``."""

    def started(self, total_steps: int | None) -> None:
        """Training begins; None steps in all if it ends after a time."""

    def stepped(self, progress: Progress, loss: float) -> None:
        """Some steps were done; told at most ten times a second, and the first step at once."""

    def evaluated(self, record: Record, seconds: float) -> None:
        """An evaluation was done, ``seconds`` after training began."""

    def ended(self) -> None:
        """Training is over, for whatever reason."""

    def noticed(self, message: str) -> None:
        """Something is not as it should be, but the run goes on; told before training begins."""

    def warned(self, warning: Diagnostic) -> None:
        """The spec says what it shouldn't any more, or its data is most likely not as meant; told before training."""


class ObserverGroup(Observer):
    """Several observers as one.

    Args:
        observers: who is told, in this order.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def resumed(self, step: int) -> None:
        """Training will go on from a checkpoint."""
        for observer in self._observers:
            observer.resumed(step)

    def started(self, total_steps: int | None) -> None:
        """Training begins."""
        for observer in self._observers:
            observer.started(total_steps)

    def stepped(self, progress: Progress, loss: float) -> None:
        """Some steps were done."""
        for observer in self._observers:
            observer.stepped(progress, loss)

    def evaluated(self, record: Record, seconds: float) -> None:
        """An evaluation was done."""
        for observer in self._observers:
            observer.evaluated(record, seconds)

    def ended(self) -> None:
        """Training is over."""
        for observer in self._observers:
            observer.ended()

    def noticed(self, message: str) -> None:
        """Something is not as it should be."""
        for observer in self._observers:
            observer.noticed(message)

    def warned(self, warning: Diagnostic) -> None:
        """The spec says what it shouldn't any more."""
        for observer in self._observers:
            observer.warned(warning)
