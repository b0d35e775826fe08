"""Processes on this machine that train prepared runs, one after the other, and report their events."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from mlpkit.components.schedule import OpenEndedProgress
from mlpkit.errors import DEBUG, MlpkitError
from mlpkit.lazy_names import load
from mlpkit.runs.overview import PRUNED
from mlpkit.second_process import how_it_ended, pipes_of, start_process, take_answers
from mlpkit.system import available_cores, kill_group, shortage
from mlpkit.training.events import Event, Listener, ObserverGroup, StopRequest, TrainingEnd
from mlpkit.training.health import Symptom


class TrainingProcess:
    """A process that trains one run after the other, by default in this folder; a terminal's Ctrl-C doesn't reach it.

    When its standard input is closed, by ``stop`` or since this process has ended, it stops the training after the step
    that it is in, and ends.
    """

    def __init__(self, here: str | None = None) -> None:
        self._process = start_process(f"{__name__}:serve", cwd=here)
        self._requests, self._answers = pipes_of(self._process)

    def train(
        self,
        function: Callable[..., TrainingEnd],
        arguments: dict[str, Any],
        tell: Listener,
        timeout: float | None = None,
    ) -> TrainingEnd:
        """Train a run, tell its events, and return how it ended; kill the process if no event comes in time."""
        request = [function.__module__, function.__name__, arguments]
        with suppress(OSError, ValueError):  # it was stopped, or has ended, which shows when it answers
            self._requests.write(json.dumps(request) + "\n")
            self._requests.flush()
        with _Watch(self._process, timeout) as watch:
            for line in self._answers:
                if not line.endswith("\n"):  # it died as it wrote
                    break
                kind, data = json.loads(line)
                watch.heard(kind)
                if kind == _OVER:
                    return TrainingEnd(*data)
                tell(event_from(0, kind, data))
        code = self._process.wait()
        if code == 0 and self._requests.closed:  # it was stopped before it began
            return TrainingEnd(stopped="the end of its process")
        by = f"after {timeout:g} s without progress" if watch.killed else how_it_ended(code)
        return TrainingEnd(failure=f"the process that trained it ended {by}", death=by)

    def stop(self) -> None:
        """Ask that the training end after the step it is in, and the process with it."""
        with suppress(OSError):  # it has ended
            self._requests.close()

    @property
    def alive(self) -> bool:
        """Whether it can train another run."""
        return self._process.poll() is None

    def close(self) -> None:
        """Wait until it has ended."""
        self.stop()
        self._answers.close()
        self._process.wait()


class _Watch:
    """Kills a process that hangs: one that trains, and sends nothing for too long."""

    def __init__(self, process: subprocess.Popen[str], timeout: float | None) -> None:
        self.killed = False
        self._process, self._timeout = process, timeout
        self._silence = -math.inf
        self._over = threading.Event()

    def __enter__(self) -> _Watch:
        if self._timeout is not None:
            threading.Thread(target=self._watch_silence, args=(self._timeout,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()

    def heard(self, event: str) -> None:
        """Note that it has sent an event."""
        if event == "started" or self._silence >= 0:
            self._silence = 0.0

    def _watch_silence(self, timeout: float) -> None:
        step = min(1.0, timeout / 4)
        while not self._over.wait(step):
            self._silence += step  # no clock: if this process was suspended, it has heard nothing meanwhile
            if self._silence >= timeout:
                self.killed = True
                kill_group(self._process)  # and what it has started, which would keep its pipe
                return


_OVER: Final = "over"
SENT: Final = ("resumed", "started", "stepped", "evaluated", "diagnosed", "noticed", "warned")
"""The events of a run that another process reports."""


def plain_event(event: Event) -> tuple[str, tuple[Any, ...]]:
    """Return kind and data of an event as plain data."""
    match event:
        case Event(_, "stepped", (progress, loss)):
            return "stepped", (progress.step, progress.epoch, loss)
        case Event(_, "diagnosed", (symptom,)):
            return "diagnosed", (symptom.to_plain(),)
        case Event(_, "warned", (warning,)):
            return "noticed", (str(warning),)
    return event.kind, event.data


def event_from(run: int, kind: str, data: Sequence[Any]) -> Event:
    """Return the event of a run that ``plain_event`` wrote."""
    match kind, data:
        case "stepped", (step, epoch, loss):
            progress = OpenEndedProgress()
            progress.step, progress.epoch = step, epoch
            return Event(run, kind, (progress, loss))
        case "diagnosed", (symptom,):
            return Event(run, kind, (Symptom.from_plain(symptom),))
    return Event(run, kind, tuple(data))


def serve() -> None:
    """Train the runs that are asked for on standard input, as the second process."""
    answers = take_answers(sys.stderr.fileno())

    def answer(kind: str, data: Sequence[Any]) -> None:
        with suppress(BrokenPipeError):  # the first process has ended: the training ends in order, too
            answers.write(json.dumps([kind, data]) + "\n")

    def tell(event: Event) -> None:
        if event.kind in SENT:
            answer(*plain_event(event))

    requests: SimpleQueue[str] = SimpleQueue()
    stop = StopRequest()
    signal.signal(signal.SIGTERM, lambda *_: stop.stop("SIGTERM"))
    threading.Thread(target=_read_requests, args=(requests, stop), daemon=True).start()
    while request := requests.get():
        module, function, arguments = json.loads(request)
        directory = Path(arguments.pop("directory"))
        try:
            end = load(f"{module}:{function}")(directory, **arguments, observer=ObserverGroup([tell]), stop=stop)
        except Exception as error:
            end = TrainingEnd(failure=described(error))
        answer(_OVER, astuple(end))


def _read_requests(requests: SimpleQueue[str], stop: StopRequest) -> None:
    for line in sys.stdin:
        requests.put(line)
    stop.stop("a signal")
    requests.put("")


def described(error: Exception) -> str:
    """Return why a run failed."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    own = str(error) if isinstance(error, MlpkitError) else shortage(error)
    message = own or f"internal error: {type(error).__name__}: {error}"
    return "\n  ".join([message, *getattr(error, "__notes__", ())])


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
        tell: Listener = lambda _: None,  # the run folder keeps what matters
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
        self, function: Callable[..., TrainingEnd], arguments: dict[str, Any], tell: Listener, timeout: float | None
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
