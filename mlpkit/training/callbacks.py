"""Telling callbacks what happens in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.network.blame import Blame
from mlpkit.training.packed_state import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit.components.callback import Callback, TrainingView
    from mlpkit.training.history import Record


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
        self._callbacks = [(callback, Blame(f"callback {callback.registered_name} failed")) for callback in callbacks]

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
            with Blame(f"callback {callback.registered_name} failed in state"):
                states.append(pack(callback.state(), arrays, f"callbacks/{i}"))
        return states

    def load_state(self, states: Sequence[Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Give each callback back what ``state`` returned."""
        for (callback, _), packed in zip(self._callbacks, states, strict=True):
            with Blame(f"callback {callback.registered_name} failed in load_state"):
                callback.load_state(unpack(packed, arrays))
