"""Training several prepared runs, as many at once as the cores allow."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from itertools import accumulate
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from mlpkit.errors import MlpkitError
from mlpkit.groups.local_workers import SENT, LocalWorkers, described, event_from, plain_event
from mlpkit.jobs.resume_network import Session, train_claimed
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.system import available_cores
from mlpkit.training.events import Event, ObserverGroup, TrainingEnd

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from typing import Unpack

    from mlpkit.components.callback import Callback
    from mlpkit.jobs.run_spec import GivenExamples
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.training.events import Listener, Observer, StopRequest

SECONDS_BETWEEN_LOOKS: Final = 0.1
"""At whether a signal asks for an end."""


class GroupSession(NamedTuple):
    """What several runs are trained with, in addition to their folders.

    Args:
        plugin_options: the keywords of ``Registry.discover``, as plain data.
        observer: receives the events.
        stop: may ask that training end after the steps that it is in.
        workers: how many runs train at once; None for as many as the cores allow.
        examples: the examples, if the runs were given them in memory.
        callbacks: callbacks in addition to the spec's, by number of the run; only if the examples are in memory.
    """

    plugin_options: PluginOptions
    observer: Listener
    stop: StopRequest
    workers: int | None = None
    examples: GivenExamples | None = None
    callbacks: Mapping[int, Sequence[Callback]] = MappingProxyType({})


def listed_runs(numbers: Iterable[int], what: str = "seed") -> str:
    """Write ``seed 3`` or ``seeds 3, 5``.

    Args:
        numbers: the numbers of some runs.
        what: what they are.
    """
    listed = [str(number) for number in numbers]
    return f"{what}{'s' if len(listed) > 1 else ''} {', '.join(listed)}"


def share_of_cores(workers: int | None, count: int) -> int | None:
    """Return how many cores each of several runs has to itself; None if that is open.

    Args:
        workers: how many train at once; None for as many as the cores allow.
        count: how many runs there are.
    """
    return None if workers is None else max(1, available_cores() // min(workers, count))


class CoreShares:
    """How the cores are shared out to several runs: each thread of a run has a core, or they train in turn.

    A run's threads are part of its plan, and so of its bits: what trains at the same time can't take any of them
    away. If the number of workers is given, that many train at once, each with an equal share.

    Args:
        threads: BLAS threads of each run, by its number.
        workers: how many train at once; None for as many as the cores allow.

    Attributes:
        most_at_once: how many train at once at most.
    """

    def __init__(self, threads: Mapping[int, int], workers: int | None = None) -> None:
        share = share_of_cores(workers, len(threads))
        if workers is None or share is None:
            self._cores = available_cores()
            self._shares = {number: max(own, self._cores // len(threads)) for number, own in threads.items()}
        else:
            self._cores = workers * share
            self._shares = dict.fromkeys(threads, share)
        fitting = sum(total <= self._cores for total in accumulate(sorted(self._shares.values())))
        self.most_at_once = max(1, fitting)

    def of(self, number: int) -> int:
        """Return how many cores a run has to itself."""
        return self._shares[number]

    def suffice_for(self, numbers: Collection[int]) -> bool:
        """Whether these runs can train at once; a single one always can."""
        return len(numbers) == 1 or sum(map(self.of, numbers)) <= self._cores


def train_runs(runs: Mapping[int, Path], threads: int | Mapping[int, int], session: GroupSession) -> dict[int, str]:
    """Train prepared runs, each to the same bits as on its own, and return what went wrong with which.

    Other processes train them; if the examples are in the memory of this one, it trains one run after the other.

    Args:
        runs: the run folders, by number.
        threads: BLAS threads of each; or by number, if they differ.
        session: what they are trained with.
    """
    if not runs:
        return {}
    if session.examples is not None:
        session.observer(Event(0, "began", (runs, 1)))
        return _train_here(runs, session)
    shares = CoreShares(dict.fromkeys(runs, threads) if isinstance(threads, int) else threads, session.workers)
    session.observer(Event(0, "began", (runs, shares.most_at_once)))
    processes = LocalWorkers(shares.most_at_once)
    try:
        return _train_at_once(runs, shares, processes, session)
    finally:
        processes.shutdown()


def train_prepared(
    directory: Path,
    *,
    examples: GivenExamples | None = None,
    observer: Observer,
    stop: StopRequest,
    callbacks: Sequence[Callback] = (),
    cores: int | None = None,
    **plugin_options: Unpack[PluginOptions],
) -> TrainingEnd:
    """Do what ``train_claimed`` does, in a process that has not claimed the folder, and return how it ended.

    Args:
        directory: the run folder.
        examples: as for ``Session``.
        observer: receives the events.
        stop: may ask the run to end after the step that it is in.
        callbacks: as for ``Session``.
        cores: as for ``Session``.
        plugin_options: the keywords of ``Registry.discover``.

    Raises:
        RunFolderError: the folder is not a run folder, has another writer, or can't be resumed.
        MlpkitError: as ``run`` and ``resume`` do.
    """
    with RunFolder.open(directory) as folder:
        folder.claim()
        registry = Registry.discover(**plugin_options)
        run = train_claimed(folder, Session(registry, observer, stop, examples, callbacks, cores=cores), again=True)
        return TrainingEnd(run.steps, run.stopped, metrics=run.metrics)


def _train_here(runs: Mapping[int, Path], session: GroupSession) -> dict[int, str]:
    """Train runs one after the other in this process."""
    observer, stop, failures = session.observer, session.stop, {}
    for number, directory in runs.items():
        if stop.reason:
            break

        def tell(event: Event, number: int = number) -> None:
            if event.kind in SENT:
                observer(event_from(number, *plain_event(event)))

        try:
            end = train_prepared(
                directory,
                **session.plugin_options,
                examples=session.examples,
                observer=ObserverGroup([tell]),
                stop=stop,
                callbacks=session.callbacks.get(number, ()),
            )
        except MlpkitError as error:
            end = TrainingEnd(failure=described(error))
            failures[number] = end.failure
        observer(Event(number, "over", (end,)))
    return failures


def _train_at_once(
    runs: Mapping[int, Path], shares: CoreShares, processes: LocalWorkers, session: GroupSession
) -> dict[int, str]:
    """Train runs in other processes, tell how they go, and return what went wrong with which."""
    events: SimpleQueue[Event] = SimpleQueue()
    waiting, failures = deque(runs), {}
    training: dict[int, Future[TrainingEnd]] = {}

    def begin(number: int) -> None:
        training[number] = processes.submit(
            train_prepared,
            runs[number],
            tell=lambda event: events.put(event._replace(run=number)),
            cores=shares.of(number),
            **session.plugin_options,
        )
        training[number].add_done_callback(lambda _: events.put(Event(number, "over", ())))

    while waiting or training:
        if session.stop.reason:
            processes.stop()
            waiting.clear()
        while waiting and shares.suffice_for([*training, waiting[0]]):
            begin(waiting.popleft())
        with suppress(Empty):
            event = events.get(timeout=SECONDS_BETWEEN_LOOKS)
            if event.kind == "over":
                end = _as_asked(training.pop(event.run).result(), session.stop)
                if end.failure:
                    failures[event.run] = end.failure
                event = event._replace(data=(end,))
            session.observer(event)
    return dict(sorted(failures.items()))


def _as_asked(end: TrainingEnd, stop: StopRequest) -> TrainingEnd:
    """Return how a run ended; if it stopped without being asked to, it has failed."""
    return TrainingEnd(failure=f"stopped by {end.stopped}") if end.stopped and not stop.reason else end
