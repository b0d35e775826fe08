"""Workers of a Dask cluster, on this machine or on others, that train the trials of a sweep."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from distributed import Client, KilledWorker, LocalCluster, Status, get_worker
from distributed.comm.addressing import get_address_host_port
from distributed.utils import silence_logging_cmgr

from mlpkit import TrainingEnd, UsageError, WorkersLostError, __version__
from mlpkit.engines import available_cores, worker_problem
from mlpkit_plugins.engines.remote_workers import (
    NOT_BEGUN,
    RemoteWorkers,
    TrialCall,
    end_training,
    named,
    train,
    trainer_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Future as Task

SECONDS_BETWEEN_LOOKS: Final = 1.0
"""At which workers the cluster has, and whether all of them know that the sweep must stop."""

LONGEST_WAIT: Final = 10
"""Seconds in which a scheduler must answer."""

ENDING: Final = (Status.closing, Status.closed, Status.failed)
"""What a worker is that doesn't work any more."""

IGNORE_CTRL_C: Final = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""What a worker on this machine does first: the driver says when to stop."""


@dataclass(frozen=True)
class _Sent:
    """A trial that was sent to the cluster.

    Args:
        name: that of its run folder.
        worker: the address of the worker that shall train it; empty for any.
        task: Dask's task.
    """

    name: str
    worker: str
    task: Task[TrainingEnd]


class DaskWorkers(RemoteWorkers):
    """Workers of a Dask cluster; each trains one trial after the other in a separate process.

    If a worker is lost, Dask gives its trial to another, which continues from the last checkpoint.

    Args:
        scheduler: the address of the cluster's scheduler; empty for a cluster on this machine that ends with the sweep.
        most: how many trials train at once at most; by default one for each worker, and on this machine one per core.

    Attributes:
        threads: the cores of each worker; if they differ, the fewest.

    Raises:
        UsageError: no scheduler answers, or it has no workers.
    """

    worker = "Dask worker"

    def __init__(self, scheduler: str = "", most: int | None = None) -> None:
        super().__init__()
        self._most = most
        self._sent: dict[Future[TrainingEnd], _Sent] = {}
        self._looked_at = self._stopped_at = float("-inf")
        with ExitStack() as opened:
            opened.enter_context(silence_logging_cmgr(logging.CRITICAL))  # what matters is an error of mlpkit
            cluster = scheduler or opened.enter_context(_local_cluster(most or available_cores()))
            self._client = _connected(cluster)
            opened.callback(self._client.close, timeout=1)
            cores = self._client.nthreads()
            if not cores:
                raise UsageError(f"the Dask scheduler {scheduler} has no workers; start one: dask worker {scheduler}")
            self.threads = min(cores.values())
            self._workers = [*cores]
            self._opened = opened.pop_all()

    @property
    def count(self) -> int:
        """How many trials train at once: one for each current worker, and at least one."""
        if time.monotonic() - self._looked_at >= SECONDS_BETWEEN_LOOKS:
            self._workers = [*self._asked(self._client.nthreads)]
            self._looked_at = time.monotonic()
        return max(1, min(len(self._workers), self._most or len(self._workers)))

    def _send(self, call: TrialCall, end: Future[TrainingEnd]) -> None:
        """Have an idle worker train a trial.

        Raises:
            WorkersLostError: the scheduler doesn't answer any more.
        """
        busy = {sent.worker for sent in [*self._sent.values()]}  # callbacks take out those that are over
        worker = next((each for each in self._workers if each not in busy), "")
        place = {"workers": [worker], "allow_other_workers": True} if worker else {}  # others if it is lost
        task = self._asked(self._client.submit, _train, self._sweep, call, pure=False, retries=0, **place)
        self._sent[end] = _Sent(Path(call.directory).name, worker, task)
        task.add_done_callback(partial(self._take_end, end))

    def stop(self) -> None:
        """Ask that all trials stop after the steps that they are in, and take back trials that no worker has begun."""
        if self._folder is None or time.monotonic() - self._stopped_at < SECONDS_BETWEEN_LOOKS:
            return  # it is called again and again, and so reaches workers that replaced lost ones
        training = self._on_workers(_stop, self._sweep)
        begun = {name for found in training.values() if isinstance(found, list) for name in found}
        for sent in [*self._sent.values()]:
            if sent.name not in begun:
                sent.task.cancel()
        self._stopped_at = time.monotonic()

    def shutdown(self) -> None:
        """End the processes that train, and the cluster if it is on this machine for this sweep."""
        with suppress(WorkersLostError):
            if self._folder is not None:
                self._on_workers(_end, str(self._folder))
        self._opened.close()

    def _problems(self) -> list[str]:
        """Return what keeps workers from training in the folder; none trains there any more for a killed driver."""
        problems = {
            worker: f"can't train: {named(found)}" if isinstance(found, Exception) else found
            for worker, found in self._on_workers(_begin, self._sweep, __version__).items()
        }
        return [f"the Dask worker {worker} {problem}" for worker, problem in problems.items() if problem]

    def _take_end(self, end: Future[TrainingEnd], task: Task[TrainingEnd]) -> None:
        """Give the driver the result of a task that is over."""
        self._sent.pop(end)
        try:
            if task.status == "finished":
                end.set_result(task.result())
            elif task.status == "error":
                end.set_result(self._failure(task.exception()))
            elif self._client.status == "running":  # it was taken back
                end.set_result(TrainingEnd(stopped=NOT_BEGUN))
            else:
                end.set_exception(self._lost())
        except Exception as error:  # whatever it is, the driver must not wait forever
            end.set_result(self._failure(error))

    def _failure(self, error: BaseException) -> TrainingEnd:
        if isinstance(error, KilledWorker):
            return TrainingEnd(failure="the Dask workers that trained it were lost", death="with its Dask worker")
        return self._failed(named(error))

    def _on_workers(self, function: Callable[..., Any], *args: object) -> dict[str, Any]:
        """Call a function on each worker, even while it trains, and return what it returned or raised."""
        found: dict[str, Any] = self._asked(self._client.run, function, *args, on_error="return")
        return found

    def _asked(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return what the scheduler answers to a call.

        Raises:
            WorkersLostError: it doesn't.
        """
        if self._client.status != "running":
            raise self._lost()
        try:
            return call(*args, **kwargs)
        except (OSError, TimeoutError) as error:
            raise self._lost() from error

    def _lost(self) -> WorkersLostError:
        after = f"; go on with: {self._resume_command()}" if self._folder else ""
        return WorkersLostError(f"the Dask scheduler has ended, or can't be reached any more{after}")


def _local_cluster(count: int) -> LocalCluster:
    """Start a cluster on this machine.

    Args:
        count: how many workers it has, each with its share of the cores.
    """
    return LocalCluster(
        n_workers=count,
        threads_per_worker=max(1, available_cores() // count),
        processes=True,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # any free port, in place of Dask's own
        silence_logs=logging.CRITICAL,
        memory_limit=None,  # a trial's memory is that of a process of its own
        preload=[IGNORE_CTRL_C],
    )


def _connected(cluster: LocalCluster | str) -> Client:
    """Return a client of a cluster.

    Args:
        cluster: the cluster, or the address of its scheduler.

    Raises:
        UsageError: it isn't an address, or no scheduler answers.
    """
    if isinstance(cluster, str):
        try:
            get_address_host_port(cluster)
        except ValueError as error:
            raise UsageError(
                f"'{cluster}' is no address of a Dask scheduler; expected one such as tcp://192.0.2.1:8786"
            ) from error
    try:
        return Client(cluster, timeout=LONGEST_WAIT, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise UsageError(f"no Dask scheduler answers at {cluster}; start one: dask scheduler") from error


_training: set[tuple[str, str]] = set()
"""In a worker: the trials that it trains, by the folder of the sweep and their names."""


async def _begin(sweep: tuple[str, str], driver_version: str) -> str:
    """In a worker: end what a killed driver has left, and return what keeps it from training; empty if nothing does."""
    await _end(sweep[0])
    return worker_problem(*sweep, driver_version)


def _train(sweep: tuple[str, str], call: TrialCall) -> TrainingEnd:
    """In a worker: train a trial; stop it if the worker ends.

    A worker that lost its scheduler ends, and another one waits for the trial.
    """
    trial = (sweep[0], Path(call.directory).name)
    worker = get_worker()
    _training.add(trial)
    try:
        return train(sweep, call, lambda: worker.status in ENDING)
    finally:
        _training.discard(trial)


def _stop(sweep: tuple[str, str]) -> list[str]:
    """In a worker: stop the trials of a sweep, later ones too; return the names of the trials in training."""
    trainer_of(sweep).stop()
    return [name for folder, name in _training if folder == sweep[0]]


async def _end(folder: str) -> None:
    """In a worker: do what ``end_training`` does."""
    await asyncio.to_thread(end_training, folder)
