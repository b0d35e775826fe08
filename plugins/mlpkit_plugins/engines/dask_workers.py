"""Workers of a Dask cluster, on this machine or on others, that train the trials of a sweep."""

from __future__ import annotations

import asyncio
import logging
import shlex
import time
from concurrent.futures import Future, wait
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from distributed import Client, KilledWorker, LocalCluster, Status, get_worker
from distributed.comm.addressing import get_address_host_port
from distributed.utils import silence_logging_cmgr

from mlpkit import LocalWorkers, TrainingEnd, UsageError, WorkersLostError, __version__
from mlpkit.engines import available_cores, real_path, worker_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Future as Task

SECONDS_BETWEEN_LOOKS: Final = 1.0
"""At which workers the cluster has, and whether all of them know that the sweep is to stop."""

LONGEST_WAIT: Final = 10
"""Seconds in which a scheduler must answer."""

ENDING: Final = (Status.closing, Status.closed, Status.failed)
"""What a worker is that doesn't work any more."""

IGNORE_CTRL_C: Final = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""What a worker on this machine does first: the driver says when to stop."""

NOT_BEGUN: Final = "the end of the sweep"


@dataclass(frozen=True)
class _Sent:
    """A trial that was sent to the cluster.

    Args:
        name: that of its run folder.
        worker: the address of the worker that is to train it; empty for any.
        task: what Dask has of it.
    """

    name: str
    worker: str
    task: Task[TrainingEnd]


class DaskWorkers:
    """Workers of a Dask cluster, each of which trains one trial after the other, in a process of its own.

    If a worker is lost, Dask gives its trial to another, which goes on from the last checkpoint.

    Args:
        scheduler: the address of the cluster's scheduler; empty for a cluster on this machine, that ends with the
            sweep.
        most: how many trials train at once at most; by default one for each worker, and on this machine one per core.

    Attributes:
        threads: the cores of each worker; if they differ, the fewest.

    Raises:
        UsageError: no scheduler answers, or it has no workers.
    """

    def __init__(self, scheduler: str = "", most: int | None = None) -> None:
        self._most = most
        self._folder: Path | None = None
        self._here = str(Path.cwd())
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
        """How many trials train at once: one for each worker that there is now, and at least one."""
        if time.monotonic() - self._looked_at >= SECONDS_BETWEEN_LOOKS:
            self._workers = [*self._asked(self._client.nthreads)]
            self._looked_at = time.monotonic()
        return max(1, min(len(self._workers), self._most or len(self._workers)))

    def submit(self, function: Callable[..., TrainingEnd], directory: Path, **arguments: Any) -> Future[TrainingEnd]:
        """Train a trial, on a worker that has nothing to do.

        Args:
            function: what trains it; a process finds it by the name of its module and its own.
            directory: the folder of the trial.
            **arguments: other arguments, plain data.

        Raises:
            UsageError: a worker can't train in this folder.
            WorkersLostError: the scheduler doesn't answer any more.
        """
        if self._folder is None:
            self._folder = real_path(directory.parent)
            self._expect_able_workers(self._folder)
        busy = {sent.worker for sent in [*self._sent.values()]}  # callbacks take out those that are over
        worker = next((each for each in self._workers if each not in busy), "")
        place = {"workers": [worker], "allow_other_workers": True} if worker else {}  # others if it is lost
        sweep = (str(self._folder), self._here)
        task = self._asked(
            self._client.submit, _train, sweep, function, str(directory), arguments, pure=False, retries=0, **place
        )
        end: Future[TrainingEnd] = Future()
        self._sent[end] = _Sent(directory.name, worker, task)
        task.add_done_callback(partial(self._take_end, end))
        return end

    def stop(self) -> None:
        """Ask that all trials stop after the steps that they are in, and give back those that no worker has begun."""
        if self._folder is None or time.monotonic() - self._stopped_at < SECONDS_BETWEEN_LOOKS:
            return  # it is called again and again, which reaches workers that replaced lost ones, too
        training = self._on_workers(_stop, str(self._folder), self._here)
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

    def _expect_able_workers(self, folder: Path) -> None:
        """Make sure that each worker can train in the folder, and that none trains there for a driver that was killed.

        Raises:
            UsageError: one can't.
        """
        for worker, found in self._on_workers(_begin, str(folder), self._here, __version__).items():
            if found:
                problem = f"can't train: {type(found).__name__}: {found}" if isinstance(found, Exception) else found
                raise UsageError(f"the Dask worker {worker} {problem}; then {_go_on(folder)}")

    def _take_end(self, end: Future[TrainingEnd], task: Task[TrainingEnd]) -> None:
        """Hand on what came of a task.

        Args:
            end: what the driver waits for.
            task: the task, which is over.
        """
        self._sent.pop(end)
        try:
            if task.status == "finished":
                end.set_result(task.result())
            elif task.status == "error":
                end.set_result(_failed(task.exception()))
            elif self._client.status == "running":  # it was given back
                end.set_result(TrainingEnd(stopped=NOT_BEGUN))
            else:
                end.set_exception(self._lost())
        except Exception as error:  # whatever it is, the driver must not wait forever
            end.set_result(_failed(error))

    def _on_workers(self, function: Callable[..., Any], *args: str) -> dict[str, Any]:
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
        after = f"; {_go_on(self._folder)}" if self._folder else ""
        return WorkersLostError(f"the Dask scheduler has ended, or can't be reached any more{after}")


def _go_on(folder: Path) -> str:
    return f"go on with: mlpkit sweep --resume {shlex.quote(str(folder))}"


def _failed(error: BaseException | None) -> TrainingEnd:
    """Return the end of a trial whose task failed."""
    if isinstance(error, KilledWorker):
        return TrainingEnd(failure="the Dask workers that trained it were lost", death="with its Dask worker")
    return TrainingEnd(failure=f"its Dask worker can't train: {type(error).__name__}: {error}")


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
        UsageError: it is no address, or no scheduler answers.
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


_trainers: dict[str, LocalWorkers] = {}
"""In a worker: what trains there, by the folder of the sweep."""

_training: set[tuple[str, str]] = set()
"""In a worker: the trials that it trains, by the folder of the sweep and their names."""


async def _begin(folder: str, here: str, driver_version: str) -> str:
    """In a worker: end what an earlier driver of a sweep has left, and return what is in the way of training.

    Args:
        folder: the folder of the sweep.
        here: the folder that relative paths start from.
        driver_version: mlpkit's version where the driver is.
    """
    await _end(folder)
    return worker_problem(folder, here, driver_version)


def _train(
    sweep: tuple[str, str], function: Callable[..., TrainingEnd], directory: str, arguments: dict[str, Any]
) -> TrainingEnd:
    """In a worker: train a trial, in a process that is kept for the next one; save it and stop if the worker ends.

    A worker that lost its scheduler ends, and another one waits for the trial.

    Args:
        sweep: the folder of the sweep, and the folder that relative paths start from.
        function: what trains it.
        directory: the trial's folder.
        arguments: other arguments of the function.
    """
    trial = (sweep[0], Path(directory).name)
    worker, trainer = get_worker(), _trainer(*sweep)
    _training.add(trial)
    try:
        end = trainer.submit(function, Path(directory), **arguments)
        while not wait([end], SECONDS_BETWEEN_LOOKS).done:
            if worker.status in ENDING:
                trainer.stop()
        return end.result()
    finally:
        _training.discard(trial)


def _stop(folder: str, here: str) -> list[str]:
    """In a worker: stop the trials of a sweep, those that are yet to come, too; return those that are trained now.

    Args:
        folder: the folder of the sweep.
        here: the folder that relative paths start from.
    """
    _trainer(folder, here).stop()
    return [name for sweep, name in _training if sweep == folder]


async def _end(folder: str) -> None:
    """In a worker: end the processes that train trials of a sweep, once these are saved."""
    if folder in _trainers:
        await asyncio.to_thread(_trainers.pop(folder).shutdown)


def _trainer(folder: str, here: str) -> LocalWorkers:
    return _trainers.setdefault(folder, LocalWorkers(1, here))
