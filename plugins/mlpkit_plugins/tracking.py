"""The base of callbacks that log to an experiment tracker."""

from __future__ import annotations

import json
import logging
import math
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

from mlpkit import Callback, MlpkitError, Outcome, StorageError, TrainingView


class Tracker(Callback):
    """Logs a run to an experiment tracker: its spec and each evaluation once, and at the end its results.

    A subclass opens a tracked run, logs values, and closes it. This class chooses the evaluations to log: after a
    resume, the evaluations of the history that the tracker doesn't have yet.
    """

    product: ClassVar[str]
    """The name of the tracker."""

    run_id: str = ""
    """The id of the tracked run; empty before there is one."""

    _logged: int | None = None  # the last logged step; None if no run is open

    @abstractmethod
    def begin(self, training: TrainingView, folder: Path) -> int:
        """Open the tracked run ``run_id``, or a new one, and return its last step.

        Args:
            training: the run.
            folder: the run folder.
        """

    @abstractmethod
    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log the values of a step, by curve."""

    @abstractmethod
    def end(self, results: Mapping[str, float], step: int, state: str) -> None:
        """Log the results, and close the tracked run.

        Args:
            results: final values, by names such as ``final/test_loss``; empty unless the run is finished.
            step: the number of finished steps.
            state: the state of the run, as in ``Outcome``.
        """

    def on_start(self, training: TrainingView) -> None:
        """Open the tracked run, and log evaluations from before a resume that are missing in it."""
        if training.folder is not None:
            with self._logging(training.folder):
                self._logged = self.begin(training, training.folder)
                self._catch_up(training)

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Log the evaluation, and earlier ones that couldn't be logged."""
        if training.folder is None:
            return
        try:
            with self._logging(training.folder):
                self._catch_up(training)
        except StorageError as error:  # a server that is down for a minute must not end hours of training
            warnings.warn(f"{error}; the run continues, and logs it later", UserWarning, stacklevel=2)

    def on_close(self, training: TrainingView, outcome: Outcome) -> None:
        """Log missing evaluations and the results, and close the tracked run."""
        if training.folder is None or self._logged is None:
            return
        results = {
            f"final/{split}_{name}": value
            for split, values in outcome.results.items()
            for name, value in values.items()
            if isinstance(value, int | float) and math.isfinite(value)
        }
        try:
            with self._logging(training.folder):
                self._catch_up(training)
                self.end(results, training.progress.step, outcome.state)
        except StorageError as error:
            if outcome.state == "finished":
                raise
            warnings.warn(str(error), UserWarning, stacklevel=2)  # the error that ended the run matters more

    def state(self) -> dict[str, Any]:
        """Return the tracked run's id."""
        return {"run": self.run_id}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore the tracked run's id."""
        self.run_id = state["run"]

    def _catch_up(self, training: TrainingView) -> None:
        """Log the evaluations after the last logged step."""
        assert self._logged is not None
        for record in training.history:
            step = int(record["iteration"])
            if step > self._logged:
                self.log({curve(key): float(value) for key, value in record.items() if key != "iteration"}, step)
                self._logged = step

    @contextmanager
    def _logging(self, folder: Path) -> Iterator[None]:
        """Silence the library, and convert its errors to a ``StorageError``."""
        with _quiet():
            try:
                yield
            except MlpkitError:
                raise
            except Exception as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                raise StorageError(
                    f"{folder}: can't be logged to {self.product}: {reason}; check that it can be reached; "
                    "the run folder keeps everything"
                ) from error


def curve(key: str) -> str:
    """Return the curve for a value of the history, such as ``loss/train`` for ``train_loss``."""
    split, _, name = key.partition("_")
    return f"{name}/{split}" if split in {"train", "validation"} else key


def tags_of(folder: Path) -> dict[str, str]:
    """Return the tags that identify a run: the hash of its spec, and its folder."""
    lock = folder / "lock.json"
    spec_hash = json.loads(lock.read_text(encoding="utf-8"))["spec_hash"] if lock.is_file() else ""
    return {"mlpkit.spec_hash": spec_hash, "mlpkit.run_folder": str(folder.resolve())}


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence a library's output, warnings and logs; its errors are raised."""
    disabled = logging.root.manager.disable
    with redirect_stdout(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(max(disabled, logging.WARNING))  # the import would reset the level of the library's logger
        try:
            yield
        finally:
            logging.disable(disabled)
