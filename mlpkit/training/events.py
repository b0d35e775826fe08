"""Those who follow a training: observers, and the callbacks of a spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.network.component_errors import component_errors
from mlpkit.training.snapshot import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit.components.callback import Callback, TrainingView
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


class CallbackGroup:
    """All callbacks of a run, told in their order.

    Args:
        callbacks: the callbacks.
        view: what they see of the run.

    Raises:
        ComponentFailure: a callback raised an exception of its own.
    """

    def __init__(self, callbacks: Sequence[Callback], view: TrainingView) -> None:
        self._view = view
        self._callbacks = [
            (callback, component_errors(f"callback {callback.registered_name} failed")) for callback in callbacks
        ]

    def start(self) -> None:
        """Training begins."""
        for callback, blame in self._callbacks:
            with blame:
                callback.on_start(self._view)

    def step(self, loss: float) -> None:
        """A step was done."""
        for callback, blame in self._callbacks:
            with blame:
                callback.on_step(self._view, loss)

    def evaluation(self, record: Record) -> None:
        """An evaluation was done."""
        for callback, blame in self._callbacks:
            with blame:
                callback.on_evaluation(self._view, record)

    def end(self) -> None:
        """Training is over."""
        for callback, blame in self._callbacks:
            with blame:
                callback.on_end(self._view)

    def state(self, arrays: dict[str, NDArray[Any]]) -> list[Any]:
        """Return what each callback must remember, as plain data.

        Args:
            arrays: takes the arrays among it, by name.
        """
        states = []
        for i, (callback, _) in enumerate(self._callbacks):
            with component_errors(f"callback {callback.registered_name} failed in state"):
                states.append(pack(callback.state(), arrays, f"callbacks/{i}"))
        return states

    def load_state(self, states: Sequence[Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Give each callback back what ``state`` returned."""
        for (callback, _), packed in zip(self._callbacks, states, strict=True):
            with component_errors(f"callback {callback.registered_name} failed in load_state"):
                callback.load_state(unpack(packed, arrays))
