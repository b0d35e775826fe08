"""Training several prepared runs, as many at once as there are cores for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from mlpkit.errors import MlpkitError
from mlpkit.jobs.prepared_run import train_prepared
from mlpkit.jobs.runs_observer import tell
from mlpkit.jobs.training_process import EventSender, TrainingEnd, TrainingProcess, described
from mlpkit.training.workers import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from mlpkit.components.callback import Callback
    from mlpkit.jobs.run_spec import GivenExamples
    from mlpkit.jobs.runs_observer import RunsObserver
    from mlpkit.training.events import StopRequest

SECONDS_BETWEEN_LOOKS: Final = 0.1
"""At whether a signal asks for an end."""


def listed_runs(numbers: Iterable[int], what: str = "seed") -> str:
    """Write ``seed 3`` or ``seeds 3, 5``.

    Args:
        numbers: the numbers of some runs.
        what: what they are.
    """
    listed = [str(number) for number in numbers]
    return f"{what}{'s' if len(listed) > 1 else ''} {', '.join(listed)}"


def train_runs(
    runs: Mapping[int, Path],
    threads: int,
    arguments: Mapping[str, Any],
    observer: RunsObserver,
    stop: StopRequest,
    examples: GivenExamples | None = None,
    callbacks: Mapping[int, Sequence[Callback]] = MappingProxyType({}),
) -> dict[int, str]:
    """Train prepared runs, each to the same bits as on its own, and return what went wrong with which.

    Other processes train them; if the examples are in the memory of this one, it trains one run after the other.

    Args:
        runs: the run folders, by number.
        threads: BLAS threads of each.
        arguments: plugins and blocked names, as plain data.
        observer: receives the events.
        stop: may ask that training end after the steps that it is in.
        examples: the examples, if the runs were given them in memory.
        callbacks: callbacks beside the spec's, by number of the run; only if the examples are in memory.
    """
    if not runs:
        return {}
    if examples is not None:
        observer.began([*runs], 1)
        return _train_here(runs, arguments, observer, stop, examples, callbacks)
    at_once = runs_at_once(len(runs), threads)
    requests = {number: {"directory": str(directory), **arguments} for number, directory in runs.items()}
    observer.began([*runs], at_once)
    with _Processes() as processes, ThreadPoolExecutor(at_once) as executor:
        try:
            return _train_all(requests, processes, executor, observer, stop)
        except BaseException:  # the executor would wait until all are trained
            processes.stop()
            raise


def _train_here(
    runs: Mapping[int, Path],
    arguments: Mapping[str, Any],
    observer: RunsObserver,
    stop: StopRequest,
    examples: GivenExamples,
    callbacks: Mapping[int, Sequence[Callback]],
) -> dict[int, str]:
    """Train runs one after the other in this process."""
    failures = {}
    for number, directory in runs.items():
        if stop.reason:
            break
        sender = EventSender(lambda event, *details, number=number: tell(observer, number, event, details))
        try:
            run = train_prepared(
                directory,
                **arguments,
                examples=examples,
                observer=sender,
                stop=stop,
                callbacks=callbacks.get(number, ()),
            )
            end = TrainingEnd(run.steps, run.stopped, metrics=run.metrics)
        except MlpkitError as error:
            end = TrainingEnd(failure=described(error))
            failures[number] = end.failure
        observer.over(number, end)
    return failures


def runs_at_once(count: int, threads: int) -> int:
    """Return how many of several runs train at once: each thread of theirs has a core, or they train in turn.

    A run's threads are part of its plan, and so of its bits: what trains beside it can't take any of them away.

    Args:
        count: how many runs there are.
        threads: BLAS threads of each.
    """
    return max(1, min(count, available_cores() // threads))


def _train_all(
    requests: Mapping[int, dict[str, Any]],
    processes: _Processes,
    executor: Executor,
    observer: RunsObserver,
    stop: StopRequest,
) -> dict[int, str]:
    """Train runs in processes, tell how they go, and return what went wrong with which."""
    events: SimpleQueue[tuple[int, str, Sequence[Any]]] = SimpleQueue()

    def train(number: int) -> None:
        end = processes.train(requests[number], lambda event, details: events.put((number, event, details)))
        events.put((number, "over", [end]))

    training = {number: executor.submit(train, number) for number in requests}
    failures = {}
    while training:
        if stop.reason:
            processes.stop()
            training = {number: future for number, future in training.items() if not future.cancel()}
        with suppress(Empty):
            number, event, details = events.get(timeout=SECONDS_BETWEEN_LOOKS)
            if event == "over":
                training.pop(number)
                details = [_as_asked(details[0], stop)]
                if details[0].failure:
                    failures[number] = details[0].failure
            tell(observer, number, event, details)
    return dict(sorted(failures.items()))


def _as_asked(end: TrainingEnd, stop: StopRequest) -> TrainingEnd:
    """Return how a run ended; if it stopped without being asked to, it has failed."""
    return TrainingEnd(failure=f"stopped by {end.stopped}") if end.stopped and not stop.reason else end


class _Processes:
    """As many processes as threads ask for one at once; each trains one run after the other."""

    def __init__(self) -> None:
        self._all: list[TrainingProcess] = []
        self._idle: SimpleQueue[TrainingProcess] = SimpleQueue()
        self._stopped = False

    def __enter__(self) -> _Processes:
        """Start none before it is needed."""
        return self

    def __exit__(self, *error: object) -> None:
        """End them."""
        for process in self._all:
            process.close()

    def train(self, request: dict[str, Any], tell: Callable[[str, list[Any]], None]) -> TrainingEnd:
        """Train a run in a process that has nothing else to do; see ``TrainingProcess.train``."""
        try:
            process = self._idle.get_nowait()
        except Empty:
            try:
                process = TrainingProcess()
            except OSError as error:
                return TrainingEnd(failure=f"no process could be started to train it: {error.strerror}")
            self._all.append(process)
        if self._stopped:
            process.stop()
        end = process.train(request, tell)
        if process.alive and not end.stopped:  # one that was stopped would stop the next run, too
            self._idle.put(process)
        return end

    def stop(self) -> None:
        """Ask that all stop after the steps they are in."""
        self._stopped = True
        for process in self._all:
            process.stop()
