"""Events of a training, for those who show it or keep it."""

from __future__ import annotations

import time
import warnings
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlpkit.components.schedule import Progress
    from mlpkit.errors import Diagnostic
    from mlpkit.training.checkpointing import BestTracker
    from mlpkit.training.evaluation import Record
    from mlpkit.training.health import Health, Symptom


class Observer:
    """Receives the events of a training; every method is a no-op by default."""

    def resumed(self, step: int) -> None:
        """Training will go on from a checkpoint after that step; called before ``started``."""

    def monitored(self, tracker: BestTracker) -> None:
        """The best of the evaluations is the one that the tracker, which must not be changed, says is the best.

        Called before ``started``; the tracker knows the evaluations before a resume.
        """

    def started(self, total_steps: int | None) -> None:
        """Training begins; None steps in all if it ends after a time."""

    def stepped(self, progress: Progress, loss: float) -> None:
        """Some steps were done; called at most ten times a second, and the first step at once."""

    def evaluated(self, record: Record, seconds: float) -> None:
        """An evaluation was done, ``seconds`` after training began."""

    def probed(self, health: Health) -> None:
        """Some training rows were followed through the network, before the first step or after an evaluation."""

    def diagnosed(self, symptom: Symptom) -> None:
        """Something about the training is not as it should be; called once a run for each symptom."""

    def ended(self) -> None:
        """Training is over, for whatever reason."""

    def noticed(self, message: str) -> None:
        """Something is not as it should be, but the run continues; called before training or after it."""

    def warned(self, warning: Diagnostic) -> None:
        """The spec has deprecated usage, or its data is most likely not as meant; called before training."""


class PythonWarnings(Observer):
    """Turns what is noticed into Python's warnings, by default."""

    def noticed(self, message: str) -> None:
        """Warn."""
        warnings.warn(message, stacklevel=2)

    def warned(self, warning: Diagnostic) -> None:
        """Warn, as ``load_spec`` does."""
        warnings.warn(str(warning), FutureWarning, stacklevel=2)


class ObserverGroup(Observer):
    """Several observers as one.

    Args:
        observers: those to call, in this order.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        every = [events_of(observer) for observer in observers]
        for event in events_of(self):
            setattr(self, event, partial(_call_all, [events[event] for events in every]))


def events_of(observer: Observer) -> dict[str, Callable[..., None]]:
    """Return the methods of an observer that receive events, by name."""
    return {name: getattr(observer, name) for name in vars(Observer) if not name.startswith("_")}


def _call_all(listeners: Sequence[Callable[..., None]], *details: object) -> None:
    for listener in listeners:
        listener(*details)


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


SECONDS_BETWEEN_LOOKS = 0.05


class PausableStopRequest(StopRequest):
    """A request to stop that can also hold training between two steps: reading the reason waits while it is paused.

    Attributes:
        paused: whether training is to wait; another thread may set it.
        waiting: whether training waits.
    """

    def __init__(self) -> None:
        self.paused = self.waiting = False
        self.asked = ""

    @property
    def reason(self) -> str:
        """Why training is to end; empty if it goes on."""
        while self.paused and not self.asked:
            self.waiting = True
            time.sleep(SECONDS_BETWEEN_LOOKS)  # a lock could be held by what a signal handler has interrupted
        self.waiting = False
        return self.asked

    @reason.setter
    def reason(self, reason: str) -> None:
        self.asked = reason
