"""What callbacks that log to an experiment tracker share."""

from __future__ import annotations

import json
import logging
import math
import warnings
from abc import abstractmethod
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit import Callback, MlpkitError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlpkit import Outcome, TrainingView


class Tracker(Callback):
    """Logs a run to an experiment tracker: its spec once, each evaluation once, and at the end its results.

    A subclass opens a tracked run, logs values, and closes it. Which evaluations are logged is decided here, by what
    the tracker has already: after a resume the missing ones of the history follow, and those that it has are left out.
    """

    product: ClassVar[str]
    """What the tracker is called."""

    run_id: str = ""
    """The tracked run's; empty before there is one."""

    _logged: int | None = None  # the step logged last; None if nothing is open

    @abstractmethod
    def begin(self, training: TrainingView, folder: Path) -> int:
        """Open the tracked run, a new one unless there is one of ``run_id``, and return the last step that it has.

        Args:
            training: the run.
            folder: the run folder.
        """

    @abstractmethod
    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log the values of a step, by curve."""

    @abstractmethod
    def end(self, results: Mapping[str, float], step: int, folder: Path, state: str) -> None:
        """Log the results, and close the tracked run.

        Args:
            results: final values, by names such as ``final/test_loss``; none unless the run is finished.
            step: steps done.
            folder: the run folder.
            state: as in ``Outcome``.
        """

    def on_start(self, training: TrainingView) -> None:
        """Open the tracked run, and log the evaluations from before a resume that it lacks."""
        if training.folder is not None:
            with self._logging(training.folder):
                self._logged = self.begin(training, training.folder)
                self._catch_up(training)

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Log the evaluation, and those before it that couldn't be logged when they were done."""
        if training.folder is None:
            return
        try:
            with self._logging(training.folder):
                self._catch_up(training)
        except StorageError as error:  # hours of training must not end because a server is away for a minute
            warnings.warn(f"{error}; the run goes on, and logs it later", UserWarning, stacklevel=2)

    def on_close(self, training: TrainingView, outcome: Outcome) -> None:
        """Log what is still missing and the results, and close the tracked run."""
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
                self.end(results, training.progress.step, training.folder, outcome.state)
        except StorageError as error:
            if outcome.state == "finished":
                raise
            warnings.warn(str(error), UserWarning, stacklevel=2)  # what ended the run is the error to show

    def state(self) -> dict[str, Any]:
        """Return the tracked run's id."""
        return {"run": self.run_id}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take it back."""
        self.run_id = state["run"]

    def _catch_up(self, training: TrainingView) -> None:
        """Log the evaluations of the history that follow what was logged last."""
        assert self._logged is not None
        for record in training.history:
            step = int(record["iteration"])
            if step > self._logged:
                self.log({curve(key): float(value) for key, value in record.items() if key != "iteration"}, step)
                self._logged = step

    @contextmanager
    def _logging(self, folder: Path) -> Iterator[None]:
        """Keep the library's chatter from the terminal, and turn its errors into one of mlpkit's."""
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
    """Return the curve of a value of the history: ``loss/train`` for ``train_loss``."""
    split, _, name = key.partition("_")
    return f"{name}/{split}" if split in {"train", "validation"} else key


def tags_of(folder: Path) -> dict[str, str]:
    """Return what identifies a run: the hash of its spec, and its folder."""
    lock = folder / "lock.json"
    spec_hash = json.loads(lock.read_text(encoding="utf-8"))["spec_hash"] if lock.is_file() else ""
    return {"mlpkit.spec_hash": spec_hash, "mlpkit.run_folder": str(folder.resolve())}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what a library says on its own from the terminal: what goes wrong is raised."""
    disabled = logging.root.manager.disable
    with redirect_stdout(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(max(disabled, logging.WARNING))  # a level of its logger would be set again when it is imported
        try:
            yield
        finally:
            logging.disable(disabled)
