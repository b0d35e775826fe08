"""Processes on this machine that train the runs of several seeds or specs, of an ensemble or of a sweep."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from mlpkit.groups.training_process import TrainingProcess
from mlpkit.runs.overview import PRUNED
from mlpkit.system import available_cores
from mlpkit.training.events import TrainingEnd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlpkit.training.events import Event, Listener


def unheard(event: Event) -> None:
    """Ignore an event of a run: the run folder keeps what matters."""


class LocalWorkers:
    """Processes on this machine that each train one run after the other; one that died is replaced.

    Args:
        count: how many at most; by default one per core. A process is started when it is needed.
        here: the folder that their relative paths start from; by default as for this process.

    Attributes:
        threads: the share of the cores that each may take.
    """

    def __init__(self, count: int | None = None, here: str | None = None) -> None:
        self.count = count or available_cores()
        self.threads = max(1, available_cores() // self.count)
        self._here = here
        self._threads = ThreadPoolExecutor(self.count, "worker")
        self._all: list[TrainingProcess] = []
        self._idle: SimpleQueue[TrainingProcess] = SimpleQueue()
        self._stopped = False

    def submit(
        self,
        function: Callable[..., TrainingEnd],
        directory: Path,
        *,
        tell: Listener = unheard,
        timeout: float | None = None,
        **arguments: Any,
    ) -> Future[TrainingEnd]:
        """Train a run.

        Args:
            function: what trains it; a process finds it by the name of its module and its own.
            directory: the run folder.
            tell: called with each event of the run, in a separate thread.
            timeout: seconds without an event after which a process counts as dead; None for no limit.
            **arguments: other arguments of the function, plain data.
        """
        return self._threads.submit(self._train, function, {"directory": str(directory), **arguments}, tell, timeout)

    def stop(self) -> None:
        """Ask that all runs stop after the steps that they are in."""
        self._stopped = True
        for process in [*self._all]:  # threads remove dead ones
            process.stop()

    def shutdown(self) -> None:
        """End the processes."""
        self.stop()
        self._threads.shutdown(cancel_futures=True)
        for process in self._all:
            process.close()

    def _train(
        self,
        function: Callable[..., TrainingEnd],
        arguments: dict[str, Any],
        tell: Listener,
        timeout: float | None,
    ) -> TrainingEnd:
        try:
            process = self._idle_process()
            if process is None:
                process = TrainingProcess(self._here)
                self._all.append(process)
        except OSError as error:
            return TrainingEnd(failure=f"no process could be started to train it: {error.strerror}")
        if self._stopped:
            process.stop()
        end = process.train(function, arguments, tell, timeout)
        if process.alive and end.stopped in ("", PRUNED):
            self._idle.put(process)
        else:  # one that was stopped by a signal would stop the next run, too
            self._end(process)
        return end

    def _idle_process(self) -> TrainingProcess | None:
        """Return a living process that has nothing to do; None without any."""
        with suppress(Empty):
            while True:
                process = self._idle.get_nowait()
                if process.alive:
                    return process
                self._end(process)
        return None

    def _end(self, process: TrainingProcess) -> None:
        self._all.remove(process)
        process.close()
