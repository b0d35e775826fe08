"""Workers outside the driver's process that train the trials of a sweep: the base of Dask's, MPI's and Slurm's."""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from mlpkit import LocalWorkers, TrainingEnd, UsageError
from mlpkit.engines import real_path

SECONDS_BETWEEN_CHECKS: Final = 0.1
"""Seconds between checks whether a worker must stop its trial."""

NOT_BEGUN: Final = "the end of the sweep"
"""The reason why a trial that no worker has started was stopped."""


class TrialCall(NamedTuple):
    """The call that trains a trial; a worker imports the function by name."""

    function: Callable[..., TrainingEnd]
    directory: str
    arguments: dict[str, Any]


class RemoteWorkers(ABC):
    """The driver's side of the workers; in messages, each is called a ``worker``, such as a Dask worker."""

    worker: ClassVar[str]

    def __init__(self) -> None:
        self._here = str(Path.cwd())
        self._folder: Path | None = None

    def submit(self, function: Callable[..., TrainingEnd], directory: Path, **arguments: Any) -> Future[TrainingEnd]:
        """Train a trial, as ``mlpkit.Workers`` describes it.

        Raises:
            UsageError: a worker can't train in this folder.
            MlpkitError: the workers can't be reached.
        """
        if self._folder is None:
            self._folder = real_path(directory.parent)
            if problems := self._problems():
                raise UsageError(f"{problems[0]}; then resume with: {self._resume_command()}")
        end: Future[TrainingEnd] = Future()
        self._send(TrialCall(function, str(directory), arguments), end)
        return end

    @abstractmethod
    def _send(self, call: TrialCall, end: Future[TrainingEnd]) -> None:
        """Send a trial to a worker, and set ``end`` to its result."""

    def _problems(self) -> Sequence[str]:
        """Prepare the workers, and return what keeps them from training in the folder of the sweep."""
        return ()

    @property
    def _sweep(self) -> tuple[str, str]:
        """The folder of the sweep, and the folder for relative paths."""
        return str(self._folder), self._here

    def _resume_command(self) -> str:
        return f"mlpkit sweep --resume {shlex.quote(str(self._folder))}"

    def _failed(self, reason: str) -> TrainingEnd:
        """Return the end of a trial that its worker couldn't train."""
        return TrainingEnd(failure=f"its {self.worker} can't train: {reason}")


def named(error: BaseException) -> str:
    """Format an exception with its class."""
    return f"{type(error).__name__}: {error}"


_trainers: dict[str, LocalWorkers] = {}
"""In a worker: the training process of each sweep, by the folder of the sweep."""


def trainer_of(sweep: tuple[str, str]) -> LocalWorkers:
    """In a worker: return the training process of a sweep."""
    folder, here = sweep
    return _trainers.setdefault(folder, LocalWorkers(1, here))


def train(sweep: tuple[str, str], call: TrialCall, must_stop: Callable[[], bool]) -> TrainingEnd:
    """In a worker: train a trial; when ``must_stop`` returns True, save and stop it."""
    trainer = trainer_of(sweep)
    end = trainer.submit(call.function, Path(call.directory), **call.arguments)
    while not wait([end], SECONDS_BETWEEN_CHECKS).done:
        if must_stop():
            trainer.stop()
    return end.result()


def end_training(folder: str) -> None:
    """In a worker: end the training process of a sweep after its trials are saved."""
    if folder in _trainers:
        _trainers.pop(folder).shutdown()
