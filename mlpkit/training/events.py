"""Events of a training, for what shows or records it; requests to stop it; and what looks into the network."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from mlpkit.components.callback import TrainingView
    from mlpkit.components.schedule import Progress
    from mlpkit.errors import Diagnostic
    from mlpkit.training.checkpointing import BestTracker
    from mlpkit.training.evaluation import Record
    from mlpkit.training.health import Health, Symptom


class Event(NamedTuple):
    """Something that happened in a training.

    Args:
        run: the number of the run: its seed, or its place in an ensemble or among several specs; 0 for a single run.
        kind: a method of ``Observer``; or ``began`` and ``over``, of several runs.
        data: the method's arguments. Of ``began``: the run folders by number, and how many train at once at most. Of
            ``over``: a ``TrainingEnd``.
    """

    run: int
    kind: str
    data: tuple[Any, ...]


Listener: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True)
class TrainingEnd:
    """How the training of a run ended.

    Args:
        steps: steps done.
        stopped: why it was stopped before its end, to be resumed; empty if it was not.
        failure: what went wrong; empty if nothing did.
        metrics: loss and metrics at the end, by split; empty if there was no end.
        death: what ended the process that trained it; empty if it lives, or ended in order.
        cause: what a failure is due to, for the task's caller; empty if the task doesn't tell.
    """

    steps: int = 0
    stopped: str = ""
    failure: str = ""
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    death: str = ""
    cause: str = ""


class Observer:
    """Receives the events of a training; every method is a no-op by default."""

    def __call__(self, event: Event) -> None:
        """Receive an event: call the method of its kind, if there is one."""
        receive = getattr(self, event.kind, None)
        if receive is not None:
            receive(*event.data)

    def resumed(self, step: int) -> None:
        """Training resumes from a checkpoint after that step; called before ``started``."""

    def monitored(self, tracker: BestTracker) -> None:
        """The tracker decides which evaluation is the best; called before ``started``, and not to be changed."""

    def started(self, total_steps: int | None) -> None:
        """Training starts; None steps in all if it ends after a time."""

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


class ObserverGroup(Observer):
    """Several listeners, called with each event in this order, as one observer; an observer is a listener, too."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners
        for kind in vars(Observer):
            if not kind.startswith("_"):
                setattr(self, kind, partial(self._tell, kind))

    def __call__(self, event: Event) -> None:
        """Hand an event on."""
        for listener in self._listeners:
            listener(event)

    def _tell(self, kind: str, *data: Any) -> None:
        self(Event(0, kind, data))


def python_warnings(what: str = "") -> Observer:
    """Return what turns warnings, and failures of runs that ``what`` numbers, into Python's warnings."""

    def warn(event: Event) -> None:
        label, level = (f"{what} {event.run}: ", 5) if what else ("", 4)
        match event:
            case Event(_, "warned", (warning,)):
                warnings.warn(str(warning), UserWarning if what else FutureWarning, stacklevel=level)
            case Event(_, "noticed", (message,)):
                warnings.warn(f"{label}{message}", stacklevel=level)
            case Event(_, "over", (TrainingEnd(failure=failure),)) if failure:
                warnings.warn(f"{label}{failure}", stacklevel=level)

    return ObserverGroup([warn])


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


class Watch:
    """Looks into a network while it is trained, and changes nothing; every method does nothing by default."""

    each_step: ClassVar[bool] = False
    """Whether ``gradient`` and ``clipped`` are called."""

    def began(self, view: TrainingView, learning_rate: float) -> None:
        """The first step is next, or the first after a resume, with this learning rate; the view follows training."""

    def before_evaluated_step(self) -> None:
        """A step is next, and after it an evaluation."""

    def gradient(self) -> None:
        """The gradient of a step is computed, and not clipped yet."""

    def clipped(self) -> None:
        """The gradient is as the optimizer will get it."""

    def evaluated(self, learning_rate: float, *, last: bool) -> None:
        """An evaluation was done after a step with this learning rate, perhaps the last one."""

    def diverged(self, learning_rate: float) -> None:
        """Training diverged in a step with this learning rate, and is over."""


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
