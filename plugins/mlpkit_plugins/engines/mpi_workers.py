"""MPI ranks, on this machine or on others, that train the trials of a sweep; rank 0 drives it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from socket import gethostname
from typing import Any, Final

from mlpkit import TrainingEnd, UsageError, __version__
from mlpkit.engines import cores_of_each_rank, load_mpi, mpi_errors, worker_problem
from mlpkit_plugins.engines.remote_workers import (
    SECONDS_BETWEEN_CHECKS,
    RemoteWorkers,
    TrialCall,
    end_training,
    named,
    train,
)

_BEGIN, _STOP = 21_001, 21_002
"""Tags of messages from rank 0 to the other ranks; mpi4py.futures uses other tags."""

ALONE: Final = (
    "the engine mpi needs other processes, which train while the first one drives; start them with mpiexec, such as: "
    "mpiexec -n 5 mlpkit sweep SPEC --on mpi"
)
NOT_SHARED: Final = (
    "each process started a separate sweep; start the program with: mpiexec -n 5 python -m mpi4py.futures PROGRAM"
)

LAUNCHERS_VARIABLES: Final = ("PMI_", "PMIX_", "MPI_LOCAL", "HYDI_", "OMPI_", "PRTE_", "MV2_")
"""Prefixes of the variables that make a process an MPI rank; processes that a rank starts must not inherit them."""


class MpiWorkers(RemoteWorkers):
    """The MPI ranks except rank 0; each trains one trial after the other in a separate process.

    Only rank 0 creates an instance. The other ranks are in ``serve``, or in ``python -m mpi4py.futures``.
    """

    worker = "rank"

    def __init__(self, most: int | None = None) -> None:
        super().__init__()
        mpi, executor = _loaded()
        self._mpi, self._world = mpi, mpi.COMM_WORLD
        self._ranks = self._world.Get_size() - 1
        if not self._ranks:
            raise UsageError(ALONE)
        if self._world.Get_rank():
            sys.stderr.write(f"error: {NOT_SHARED}\n")
            self._world.Abort(UsageError.exit_code)
        self._stopped = False
        with mpi_errors(mpi):
            self._sent = _send_to_all(self._world, True, _BEGIN)
            self._pool = executor(self._world, root=0)
            self._executor: Any = self._pool.__enter__()
            self.threads = min(self._on_each(_cores))
        self.count = min(self._ranks, most or self._ranks)

    def _send(self, call: TrialCall, end: Future[TrainingEnd]) -> None:
        """Send a trial to an idle rank."""
        task = self._executor.submit(_train, self._sweep, call)
        task.add_done_callback(partial(self._take_end, end))

    def stop(self) -> None:
        """Ask all trials to stop after their current steps."""
        if not self._stopped:
            self._stopped = True
            with mpi_errors(self._mpi):
                self._sent += _send_to_all(self._world, None, _STOP)

    def shutdown(self) -> None:
        """End the training processes; the ranks then wait for another sweep."""
        self.stop()
        with mpi_errors(self._mpi):
            self._on_each(_end, self._sweep)
            self._pool.__exit__(None, None, None)

    def _problems(self) -> list[str]:
        return sorted(filter(None, self._on_each(_begin, self._sweep, __version__)))

    def _resume_command(self) -> str:
        return f"mpiexec -n {self._ranks + 1} {super()._resume_command()} --on mpi"

    def _take_end(self, end: Future[TrainingEnd], task: Future[TrainingEnd]) -> None:
        """Pass the result of a finished task to the driver."""
        error = task.exception()
        end.set_result(task.result() if error is None else self._failed(named(error)))

    def _on_each(self, function: Callable[..., Any], *args: object) -> list[Any]:
        """Call a function on each rank except this one, when it is idle, and return the results."""
        calls = [self._executor.submit(_together, function, args) for _ in range(self._ranks)]
        return [call.result() for call in calls]


def serve() -> None:
    """In each rank except rank 0: train the trials that rank 0 sends, until it calls ``release_ranks``."""
    mpi, executor = _loaded()
    with mpi_errors(mpi):
        while _asked_to_begin(mpi.COMM_WORLD):
            with executor(mpi.COMM_WORLD, root=0):
                pass  # runs the executor's loop until rank 0 ends it


def release_ranks() -> None:
    """In rank 0: end the other ranks, between sweeps."""
    mpi, _ = _loaded()
    with mpi_errors(mpi):
        mpi.Request.waitall(_send_to_all(mpi.COMM_WORLD, False, _BEGIN))


def _loaded() -> tuple[Any, Any]:
    """Start MPI, which threads must be able to share, and return ``mpi4py.MPI`` and its ``MPICommExecutor``."""
    try:
        mpi = load_mpi("multiple")
    except RuntimeError as error:  # what mpi4py raises without an MPI library
        raise UsageError(f"mpi4py can't use MPI: {' '.join(str(error).split())}; install: pip install mpich") from error
    if mpi.Query_thread() < mpi.THREAD_MULTIPLE:
        raise UsageError(
            "the engine mpi needs an MPI library that several threads may use (MPI_THREAD_MULTIPLE), and this one "
            "wasn't built for that; MPICH is, from: pip install mpich"
        )
    from mpi4py.futures import MPICommExecutor  # noqa: PLC0415 - starts MPI, which was configured before

    return mpi, MPICommExecutor


def _send_to_all(world: Any, item: object, tag: int) -> list[Any]:
    return [world.isend(item, dest=rank, tag=tag) for rank in range(1, world.Get_size())]


def _asked_to_begin(world: Any) -> bool:
    """In a rank that trains: wait for rank 0, and return whether there is a sweep."""
    while not world.iprobe(source=0, tag=_BEGIN):
        time.sleep(SECONDS_BETWEEN_CHECKS)
    return bool(world.recv(source=0, tag=_BEGIN))


def _together(function: Callable[..., Any], args: tuple[object, ...]) -> Any:
    """In a rank that trains: call a function, and wait for all other ranks, so that each calls it exactly once."""
    from mpi4py.futures import get_comm_workers  # noqa: PLC0415 - starts MPI, which runs already

    workers = get_comm_workers()
    try:
        return function(*args)
    finally:
        workers.Barrier()


def _cores() -> int:
    """In a rank that trains: return its share of its host's cores, or the smallest share of any rank."""
    from mpi4py.futures import get_comm_workers  # noqa: PLC0415 - starts MPI, which runs already

    return cores_of_each_rank(load_mpi(), get_comm_workers())


def _begin(sweep: tuple[str, str], driver_version: str) -> str:
    """In a rank that trains: prepare, and return what keeps it from training; empty if nothing does."""
    world = load_mpi().COMM_WORLD
    if world.iprobe(source=0, tag=_BEGIN):  # this rank wasn't in ``serve``
        world.recv(source=0, tag=_BEGIN)
    for name in [name for name in os.environ if name.startswith(LAUNCHERS_VARIABLES)]:
        del os.environ[name]
    problem = worker_problem(*sweep, driver_version)
    return problem and f"rank {world.Get_rank()} of {world.Get_size()}, on {gethostname()}, {problem}"


def _train(sweep: tuple[str, str], call: TrialCall) -> TrainingEnd:
    """In a rank that trains: train a trial; stop it on request of rank 0."""
    must_stop = partial(load_mpi().COMM_WORLD.iprobe, source=0, tag=_STOP)  # receives nothing: later trials stop, too
    return train(sweep, call, must_stop)


def _end(sweep: tuple[str, str]) -> None:
    """In a rank that trains: end the training process after its trial is saved."""
    end_training(sweep[0])
    load_mpi().COMM_WORLD.recv(source=0, tag=_STOP)  # MPI can't end properly with an unreceived message
