"""Several runs that a spec trains together, as many at once as the cores allow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final, NamedTuple, Self, TypeVar, Unpack

from mlpkit.errors import Diagnostic, MlpkitError
from mlpkit.groups.folders import NumberedRuns
from mlpkit.groups.local_workers import SENT, LocalWorkers, described, event_from, plain_event
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.jobs.resume_network import Session, resume_network, train_claimed
from mlpkit.jobs.run_inputs import GivenExamples
from mlpkit.jobs.train import Run
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.specfile.spec import Spec
from mlpkit.system import available_cores
from mlpkit.training.events import CtrlC, Event, Listener, Observer, ObserverGroup, StopRequest, TrainingEnd

R = TypeVar("R")

SECONDS_BETWEEN_LOOKS: Final = 0.1
"""At whether a signal asks for an end."""


class GroupSession(NamedTuple):
    """What several runs are trained with, in addition to their folders.

    As many train at once as there are workers; None for as many as the cores allow.
    """

    plugin_options: PluginOptions
    observer: Listener
    stop: StopRequest
    workers: int | None = None
    examples: GivenExamples | None = None


def listed_runs(numbers: Iterable[int], what: str = "seed") -> str:
    """Write ``seed 3`` or ``seeds 3, 5``."""
    listed = [str(number) for number in numbers]
    return f"{what}{'s' if len(listed) > 1 else ''} {', '.join(listed)}"


def share_of_cores(workers: int | None, count: int) -> int | None:
    """Return how many cores each of several runs has to itself if workers train them; None if that is open."""
    return None if workers is None else shared_out(count, 1, workers)[1]


def shared_out(count: int, threads: int, workers: int | None = None) -> tuple[int, int]:
    """Return how many of several runs train at once, and the cores of each.

    A run's threads are part of its plan, and so of its bits: each has a core, or the runs train in turn. If the number
    of workers is given, that many train at once, each with an equal share.
    """
    if workers is not None:
        at_once = min(workers, count)
        return at_once, max(1, available_cores() // at_once)
    share = max(threads, available_cores() // count)
    return min(count, max(1, available_cores() // share)), share


def train_runs(runs: Mapping[int, Path], threads: int, session: GroupSession) -> dict[int, str]:
    """Train prepared runs, each to the same bits as on its own, and return what went wrong with which.

    Other processes train them; if the examples are in the memory of this one, it trains one run after the other.
    """
    if not runs:
        return {}
    if session.examples is not None:
        session.observer(Event(0, "began", (runs, 1)))
        return _train_here(runs, session)
    at_once, cores = shared_out(len(runs), threads, session.workers)
    session.observer(Event(0, "began", (runs, at_once)))
    processes = LocalWorkers(at_once)
    try:
        return _train_at_once(runs, cores, processes, session)
    finally:
        processes.shutdown()


def train_prepared(
    directory: Path,
    *,
    examples: GivenExamples | None = None,
    observer: Observer,
    stop: StopRequest,
    cores: int | None = None,
    **plugin_options: Unpack[PluginOptions],
) -> TrainingEnd:
    """Do what ``train_claimed`` does, in a process that has not claimed the folder, and return how it ended."""
    with RunFolder.open(directory) as folder:
        folder.claim()
        registry = Registry.discover(**plugin_options)
        run = train_claimed(folder, Session(registry, observer, stop, examples, cores=cores), again=True)
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
            )
        except MlpkitError as error:
            end = TrainingEnd(failure=described(error))
            failures[number] = end.failure
        observer(Event(number, "over", (end,)))
    return failures


def _train_at_once(
    runs: Mapping[int, Path], cores: int, processes: LocalWorkers, session: GroupSession
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
            cores=cores,
            **session.plugin_options,
        )
        training[number].add_done_callback(lambda _: events.put(Event(number, "over", ())))

    while waiting or training:
        if session.stop.reason:
            processes.stop()
            waiting.clear()
        while waiting and len(training) < processes.count:
            begin(waiting.popleft())
        with suppress(Empty):
            event = events.get(timeout=SECONDS_BETWEEN_LOOKS)
            if event.kind == "over":
                end = training.pop(event.run).result()
                if end.stopped and not session.stop.reason:  # by something else
                    end = TrainingEnd(failure=f"stopped by {end.stopped}")
                if end.failure:
                    failures[event.run] = end.failure
                event = event._replace(data=(end,))
            session.observer(event)
    return dict(sorted(failures.items()))


class Group(ABC):
    """Several runs that a spec trains together: by default, one with each of its seeds.

    Attributes:
        what: what the number of a run is called; empty for a single one.
        warnings: what of the data is most likely not meant, once it is proved.
        folder: the folder of all, once ``keep_in`` or ``create`` was called.
    """

    what: ClassVar[str]
    folder: NumberedRuns

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.numbers: Sequence[int] = spec.seeds
        self.warnings: Sequence[Diagnostic] = ()
        self._proved: Sequence[SpecProof] = ()

    def prove(self) -> Self:
        """Prove the spec of each run; see ``mlpkit.jobs.prove.prove``."""
        self._proved = self._proofs()
        self.warnings = self._proved[0].warnings
        return self

    def warn(self, observer: Listener) -> None:
        """Hand the warnings to an observer."""
        for warning in self.warnings:
            observer(Event(0, "warned", (warning,)))

    def prepare(self, cores: int | None = None) -> int:
        """Make a run folder for each run, then make their folder what it is, and return the threads of a run."""
        threads = self._prepare(self._proved, cores)
        self._proved = ()  # their data would stay in memory
        return threads

    def _proofs(self) -> Sequence[SpecProof]:
        """Prove the spec of each run, and of all together if they have one."""
        return [prove(self.spec_of(number)) for number in self.numbers]

    @abstractmethod
    def _prepare(self, proved: Sequence[SpecProof], cores: int | None) -> int:
        """Do what ``prepare`` does with what was proved."""

    @abstractmethod
    def keep_in(self, run: RunFolder) -> Self:
        """Keep the runs in a folder, as its writer."""

    def spec_of(self, number: int) -> Spec:
        """Return the spec of a run."""
        return self.spec.with_seed(number)

    @abstractmethod
    def sum_up(self) -> Mapping[str, Mapping[str, Any]]:
        """Write what sums up the runs, once all are over, and return loss and metrics by split."""

    def create(self, directory: Path, cores: int | None = None) -> int:
        """Make the folder of all and prepare the runs in it, or leave nothing; see ``prepare``."""
        self.keep_in(RunFolder.create(directory))
        try:
            return self.prepare(cores)
        except BaseException:
            self.folder.discard()
            raise


def train_unfinished(folder: NumberedRuns, threads: int, session: GroupSession) -> tuple[dict[int, str], bool]:
    """Train the runs of a folder that are not finished; return what went wrong, and whether Ctrl-C came."""
    runs = {number: folder.members[number] for number in folder.unfinished}
    with CtrlC(session.stop) as ctrl_c:
        failures = train_runs(runs, threads, session)
    return failures, ctrl_c.received


def finished_runs(folder: NumberedRuns, plugin_options: PluginOptions) -> dict[int, Run]:
    """Load the finished runs of a folder, by number."""
    return {number: resume_network(folder.members[number], **plugin_options) for number in folder.results()}


def train_in(
    directory: str | Path | None,
    train: Callable[[Path], R],
    name: str,
    runs_of: Callable[[R], Mapping[int, Run]],
    stopped: str,
) -> R:
    """Train several runs in a folder; without one, in a folder of that name that goes away once its runs are loaded."""
    if directory is not None:
        return train(Path(directory))

    def leave_folder(found: Any) -> None:
        for run in (*runs_of(found).values(), found):
            run.folder = None

    with TemporaryDirectory(prefix="mlpkit-") as temporary:
        try:
            found = train(Path(temporary) / name)
        except KeyboardInterrupt as interrupt:
            if hasattr(interrupt, "run"):
                leave_folder(interrupt.run)
                interrupt.args = (stopped,)
            raise
        leave_folder(found)
        return found
