"""Callbacks: code that follows training, and may end it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from mlpkit.components.component import Component
from mlpkit.components.schedule import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Weights(NamedTuple):
    """All parameters of a network, and the state of its layers.

    Args:
        values: the parameters in one flat array.
        state: the layers' state in one flat array, such as running means.
    """

    values: NDArray[Any]
    state: NDArray[Any]

    def copy(self) -> Weights:
        """Return the same numbers in new arrays."""
        return Weights(self.values.copy(), self.state.copy())


def _no_weights() -> Weights:
    import numpy as np  # noqa: PLC0415 - only tests of callbacks get here, and checking a spec needs no NumPy

    return Weights(np.empty(0), np.empty(0))


class Outcome(NamedTuple):
    """How a run ended.

    Args:
        state: ``finished``; ``stopped``, if it can be resumed; or ``failed``, such as by divergence.
        results: loss and metrics of each split at the end, a table as a list of rows; empty unless it is finished.
    """

    state: str
    results: Mapping[str, Mapping[str, Any]] = {}


@dataclass
class TrainingView:
    """What a callback sees of a training run.

    Args:
        progress: how far training has come.
        parameters: the network's parameters by name; read-only.
        folder: the run folder, or None if nothing is written.
        history: the evaluations so far, those before a resume too; read-only.
        weights: the network's parameters and layers' state, in two flat arrays; read-only.
        resolved: returns the values of the spec with every default filled in, by dotted key, such as
            ``training.batch_size``; items of a list go by their number.
        stand_in: weights that are evaluated and saved in place of the trained ones, and shown by ``parameters`` and
            ``weights`` while they are evaluated; None, or set by the optimizer or a callback.
        stop_reason: why training ends after this step; empty if it continues.
    """

    progress: Progress
    parameters: Mapping[str, NDArray[Any]]
    folder: Path | None = None
    history: Sequence[Mapping[str, float]] = ()
    weights: Weights = field(default_factory=_no_weights)
    resolved: Callable[[], Mapping[str, Any]] = field(default_factory=lambda: dict)
    stand_in: Weights | None = field(default=None, init=False)
    stop_reason: str = field(default="", init=False)

    def stop(self, reason: str) -> None:
        """Ask for training to end after this step.

        Args:
            reason: why, for the message to the user.
        """
        self.stop_reason = reason


class Callback(Component):
    """Receives training events; every method is a no-op by default."""

    kind: ClassVar[str] = "callback"

    def files(self) -> Sequence[str]:
        """Return the names of the files and folders that it writes in the run folder; by default, none.

        A spec is an error if one of them is not a plain name, or if mlpkit or another callback writes that file.
        """
        return ()

    def on_start(self, training: TrainingView) -> None:
        """Called before the first step, and again after ``load_state`` when a run is resumed."""

    def on_step(self, training: TrainingView, loss: float) -> None:
        """Called after each step."""

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Called after each evaluation; ``record`` is the line that was added to the history."""

    def on_end(self, training: TrainingView) -> None:
        """Called after the last step, also if training was stopped."""

    def on_close(self, training: TrainingView, outcome: Outcome) -> None:
        """Called last, when the files in the run folder are written, whatever ended the run."""

    def state(self) -> dict[str, Any]:
        """Return what the callback needs to continue after a resume.

        Returns:
            None, truth values, numbers, strings and arrays, in lists, tuples and mappings with strings as keys.
        """
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` returned."""
