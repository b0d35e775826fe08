"""The workers that an engine of a plugin started, and what those on other machines need to know."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from mlpkit.components.engine import Workers
from mlpkit.errors import ComponentFailure
from mlpkit.network.component_errors import check_returned, component_errors
from mlpkit.training.events import TrainingEnd
from mlpkit.version import VERSION


class WorkersOfEngine:
    """The workers that an engine started; what goes wrong in them names the engine."""

    def __init__(self, engine: str, workers: Workers) -> None:
        self._engine, self._workers = engine, workers
        self.threads = self._number("threads")

    @property
    def count(self) -> int:
        """How many trials train at once."""
        return self._number("count")

    def _number(self, name: str) -> int:
        with component_errors(f"engine {self._engine} failed in {name}"):
            found = getattr(self._workers, name)
        if not isinstance(found, int) or found < 1:
            raise ComponentFailure(
                f"engine {self._engine} has workers whose {name} is {found!r}; expected an integer, at least 1"
            )
        return found

    def submit(self, function: Callable[..., TrainingEnd], directory: Path, **arguments: Any) -> Future[TrainingEnd]:
        """Train the trial of a folder."""
        with component_errors(f"engine {self._engine} failed in submit"):
            end = self._workers.submit(function, directory, **arguments)
        check_returned(f"engine {self._engine}", "submit", end, Future, "a concurrent.futures.Future")
        return end

    def stop(self) -> None:
        """Ask that all trials stop."""
        with component_errors(f"engine {self._engine} failed in stop"):
            self._workers.stop()

    def shutdown(self) -> None:
        """End the workers."""
        with component_errors(f"engine {self._engine} failed in shutdown"):
            self._workers.shutdown()


def worker_problem(folder: str, here: str, driver_version: str) -> str:
    """In a worker: return what is in the way of training a sweep's trials; empty if nothing is.

    Args:
        folder: the folder of the sweep.
        here: the folder that relative paths start from.
        driver_version: mlpkit's version where the driver is.
    """
    for each in (folder, here):
        if not Path(each).is_dir():
            return f"can't find the folder {each}; put it on a disk that all machines share, under the same path"
    if driver_version != VERSION:
        return f"has mlpkit {VERSION}, and the driver {driver_version}; install the same version"
    return ""
