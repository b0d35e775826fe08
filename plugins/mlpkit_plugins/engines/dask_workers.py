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

SECONDS_BETWEEN_CHECKS: Final = 1.0
"""Seconds between queries for the cluster's workers, and between requests to stop."""

LONGEST_WAIT: Final = 10
"""Seconds to wait for the scheduler's answer."""

ENDING: Final = (Status.closing, Status.closed, Status.failed)
"""The states of a worker that doesn't work any more."""

IGNORE_CTRL_C: Final = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""Run at the start of workers on this machine, since only the driver handles Ctrl-C."""


@dataclass(frozen=True)
class _Sent:
    """The name of a trial's run folder, the address of its worker, empty for any, and Dask's task."""

    name: str
    worker: str
    task: Task[TrainingEnd]


class DaskWorkers(RemoteWorkers):
    """Workers of a Dask cluster; each trains one trial after the other in a separate process.

    If a worker is lost, Dask gives its trial to another, which continues from the last checkpoint.
    """

    worker = "Dask worker"

    def __init__(self, scheduler: str = "", most: int | None = None) -> None:
        super().__init__()
        self._most = most
        self._sent: dict[Future[TrainingEnd], _Sent] = {}
        self._checked_at = self._stopped_at = float("-inf")
        with ExitStack() as opened:
            opened.enter_context(silence_logging_cmgr(logging.CRITICAL))  # mlpkit raises errors that matter
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
        """The number of trials to train at once: one per current worker, at least one."""
        if time.monotonic() - self._checked_at >= SECONDS_BETWEEN_CHECKS:
            self._workers = [*self._asked(self._client.nthreads)]
            self._checked_at = time.monotonic()
        return max(1, min(len(self._workers), self._most or len(self._workers)))

    def _send(self, call: TrialCall, end: Future[TrainingEnd]) -> None:
        """Send a trial to an idle worker."""
        busy = {sent.worker for sent in [*self._sent.values()]}  # callbacks remove finished trials
        worker = next((each for each in self._workers if each not in busy), "")
        place = {"workers": [worker], "allow_other_workers": True} if worker else {}  # others only if it is lost
        task = self._asked(self._client.submit, _train, self._sweep, call, pure=False, retries=0, **place)
        self._sent[end] = _Sent(Path(call.directory).name, worker, task)
        task.add_done_callback(partial(self._take_end, end))

    def stop(self) -> None:
        """Ask all trials to stop after their current steps, and cancel trials that haven't started."""
        if self._folder is None or time.monotonic() - self._stopped_at < SECONDS_BETWEEN_CHECKS:
            return  # repeated calls reach workers that replaced lost ones
        training = self._on_workers(_stop, self._sweep)
        begun = {name for names in training.values() if isinstance(names, list) for name in names}
        for sent in [*self._sent.values()]:
            if sent.name not in begun:
                sent.task.cancel()
        self._stopped_at = time.monotonic()

    def shutdown(self) -> None:
        """End the training processes, and the cluster if it was started for this sweep."""
        with suppress(WorkersLostError):
            if self._folder is not None:
                self._on_workers(_end, str(self._folder))
        self._opened.close()

    def _problems(self) -> list[str]:
        """Return what keeps workers from training in the folder, and end the trials of a killed driver there."""
        problems = {
            worker: f"can't train: {named(answer)}" if isinstance(answer, Exception) else answer
            for worker, answer in self._on_workers(_begin, self._sweep, __version__).items()
        }
        return [f"the Dask worker {worker} {problem}" for worker, problem in problems.items() if problem]

    def _take_end(self, end: Future[TrainingEnd], task: Task[TrainingEnd]) -> None:
        """Pass the result of a finished task to the driver."""
        self._sent.pop(end)
        try:
            if task.status == "finished":
                end.set_result(task.result())
            elif task.status == "error":
                end.set_result(self._failure(task.exception()))
            elif self._client.status == "running":  # it was cancelled
                end.set_result(TrainingEnd(stopped=NOT_BEGUN))
            else:
                end.set_exception(self._lost())
        except Exception as error:  # the driver must never wait forever
            end.set_result(self._failure(error))

    def _failure(self, error: BaseException) -> TrainingEnd:
        if isinstance(error, KilledWorker):
            return TrainingEnd(failure="the Dask workers that trained it were lost", death="with its Dask worker")
        return self._failed(named(error))

    def _on_workers(self, function: Callable[..., Any], *args: object) -> dict[str, Any]:
        """Call a function on each worker, even a busy one, and return its results or exceptions."""
        answers: dict[str, Any] = self._asked(self._client.run, function, *args, on_error="return")
        return answers

    def _asked(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return the scheduler's answer to a call, or raise ``WorkersLostError``."""
        if self._client.status != "running":
            raise self._lost()
        try:
            return call(*args, **kwargs)
        except (OSError, TimeoutError) as error:
            raise self._lost() from error

    def _lost(self) -> WorkersLostError:
        after = f"; resume with: {self._resume_command()}" if self._folder else ""
        return WorkersLostError(f"the Dask scheduler has ended, or can't be reached any more{after}")


def _local_cluster(count: int) -> LocalCluster:
    """Start a cluster on this machine, whose workers share the cores."""
    return LocalCluster(
        n_workers=count,
        threads_per_worker=max(1, available_cores() // count),
        processes=True,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # any free port instead of Dask's
        silence_logs=logging.CRITICAL,
        memory_limit=None,  # trials use the memory of separate processes
        preload=[IGNORE_CTRL_C],
    )


def _connected(cluster: LocalCluster | str) -> Client:
    """Return a client of a cluster, or of a scheduler by its address, or raise ``UsageError``."""
    if isinstance(cluster, str):
        try:
            get_address_host_port(cluster)
        except ValueError as error:
            raise UsageError(
                f"'{cluster}' is not the address of a Dask scheduler, such as tcp://192.0.2.1:8786"
            ) from error
    try:
        return Client(cluster, timeout=LONGEST_WAIT, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise UsageError(f"no Dask scheduler answers at {cluster}; start one: dask scheduler") from error


_training: set[tuple[str, str]] = set()
"""In a worker: its current trials, by the folder of the sweep and their names."""


async def _begin(sweep: tuple[str, str], driver_version: str) -> str:
    """In a worker: end the trials of a killed driver, and return what keeps it from training; empty if nothing does."""
    await _end(sweep[0])
    return worker_problem(*sweep, driver_version)


def _train(sweep: tuple[str, str], call: TrialCall) -> TrainingEnd:
    """In a worker: train a trial; stop it if the worker ends.

    A worker that lost its scheduler ends, so that another worker can take over the trial.
    """
    trial = (sweep[0], Path(call.directory).name)
    worker = get_worker()
    _training.add(trial)
    try:
        return train(sweep, call, lambda: worker.status in ENDING)
    finally:
        _training.discard(trial)


def _stop(sweep: tuple[str, str]) -> list[str]:
    """In a worker: stop the trials of a sweep, including later ones; return the names of its current trials."""
    trainer_of(sweep).stop()
    return [name for folder, name in _training if folder == sweep[0]]


async def _end(folder: str) -> None:
    """In a worker: call ``end_training``."""
    await asyncio.to_thread(end_training, folder)
