"""Ranks that MPI connects, on this machine or on others, that train the trials of a sweep; rank 0 drives it."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import Future
from functools import partial
from socket import gethostname
from typing import TYPE_CHECKING, Any, Final

from mlpkit import TrainingEnd, UsageError, __version__
from mlpkit.engines import cores_of_each_rank, load_mpi, mpi_errors, worker_problem
from mlpkit_plugins.engines.remote_workers import (
    SECONDS_BETWEEN_LOOKS,
    RemoteWorkers,
    TrialCall,
    end_training,
    named,
    train,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_BEGIN, _STOP = 21_001, 21_002
"""Tags of messages from rank 0 to the others, beside those of mpi4py.futures."""

ALONE: Final = (
    "the engine mpi needs other processes, which train while the first one drives; start them with mpiexec, such as: "
    "mpiexec -n 5 mlpkit sweep SPEC --on mpi"
)
NOT_SHARED: Final = (
    "each process has begun a sweep of its own; start the program with: mpiexec -n 5 python -m mpi4py.futures PROGRAM"
)

LAUNCHERS_VARIABLES: Final = ("PMI_", "PMIX_", "MPI_LOCAL", "HYDI_", "OMPI_", "PRTE_", "MV2_")
"""How the variables begin by which ``mpiexec`` tells a rank which it is; a process that a rank starts isn't one."""


class MpiWorkers(RemoteWorkers):
    """The ranks of MPI but rank 0; each trains one trial after the other in a separate process.

    Only rank 0 makes one. The other ranks are in ``serve``, or in ``python -m mpi4py.futures``.

    Args:
        most: how many trials train at once at most; by default one for each rank but rank 0.

    Attributes:
        count: how many trials train at once.
        threads: the cores of a host, shared out to its ranks that train; if hosts differ, the fewest.

    Raises:
        UsageError: MPI can't be used, or rank 0 is alone.
        RankError: MPI failed.
    """

    worker = "rank"

    def __init__(self, most: int | None = None) -> None:
        super().__init__()
        mpi = _loaded()
        from mpi4py.futures import MPICommExecutor  # noqa: PLC0415 - starts MPI, by what was set before

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
            self._pool = MPICommExecutor(self._world, root=0)
            self._executor: Any = self._pool.__enter__()
            self.threads = min(self._on_each(_cores))
        self.count = min(self._ranks, most or self._ranks)

    def _send(self, call: TrialCall, end: Future[TrainingEnd]) -> None:
        """Have an idle rank train a trial."""
        task = self._executor.submit(_train, self._sweep, call)
        task.add_done_callback(partial(self._take_end, end))

    def stop(self) -> None:
        """Ask that all trials stop after the steps that they are in."""
        if not self._stopped:
            self._stopped = True
            with mpi_errors(self._mpi):
                self._sent += _send_to_all(self._world, None, _STOP)

    def shutdown(self) -> None:
        """End the processes that train; the ranks then wait for another sweep."""
        self.stop()
        with mpi_errors(self._mpi):
            self._on_each(_end, self._sweep)
            self._pool.__exit__(None, None, None)

    def _problems(self) -> list[str]:
        return sorted(filter(None, self._on_each(_begin, self._sweep, __version__)))

    def _resume_command(self) -> str:
        return f"mpiexec -n {self._ranks + 1} {super()._resume_command()} --on mpi"

    def _take_end(self, end: Future[TrainingEnd], task: Future[TrainingEnd]) -> None:
        """Give the driver the result of a task that is over."""
        error = task.exception()
        end.set_result(task.result() if error is None else self._failed(named(error)))

    def _on_each(self, function: Callable[..., Any], *args: object) -> list[Any]:
        """Call a function on each rank but this one, once it has nothing else to do, and return what they return."""
        calls = [self._executor.submit(_together, function, args) for _ in range(self._ranks)]
        return [call.result() for call in calls]


def serve() -> None:
    """In each rank but rank 0: train what it hands out, until it ends all ranks by ``release_ranks``.

    Raises:
        RankError: MPI failed.
    """
    mpi = _loaded()
    from mpi4py.futures import MPICommExecutor  # noqa: PLC0415 - starts MPI, by what was set before

    with mpi_errors(mpi):
        while _asked_to_begin(mpi.COMM_WORLD):
            with MPICommExecutor(mpi.COMM_WORLD, root=0):
                pass  # the executor's own loop, as long as rank 0 has one


def release_ranks() -> None:
    """In rank 0: end the other ranks, which do no sweep now."""
    mpi = _loaded()
    with mpi_errors(mpi):
        mpi.Request.waitall(_send_to_all(mpi.COMM_WORLD, False, _BEGIN))


def _loaded() -> Any:
    """Start MPI, and return the module ``mpi4py.MPI``.

    Raises:
        UsageError: the MPI library is missing, or threads can't share it.
    """
    try:
        mpi = load_mpi("multiple")
    except RuntimeError as error:  # what mpi4py raises without an MPI library
        raise UsageError(f"mpi4py can't use MPI: {' '.join(str(error).split())}; install: pip install mpich") from error
    if mpi.Query_thread() < mpi.THREAD_MULTIPLE:
        raise UsageError(
            "the engine mpi needs an MPI library that several threads may use (MPI_THREAD_MULTIPLE), and this one "
            "wasn't built for that; MPICH is, from: pip install mpich"
        )
    return mpi


def _send_to_all(world: Any, item: object, tag: int) -> list[Any]:
    return [world.isend(item, dest=rank, tag=tag) for rank in range(1, world.Get_size())]


def _asked_to_begin(world: Any) -> bool:
    """In a rank that trains: wait for rank 0, which may take its time, and return whether there is a sweep."""
    while not world.iprobe(source=0, tag=_BEGIN):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    asked: bool = world.recv(source=0, tag=_BEGIN)
    return asked


def _together(function: Callable[..., Any], args: tuple[object, ...]) -> Any:
    """In a rank that trains: call a function, and wait until all others have, so that each of them does so once."""
    from mpi4py.futures import get_comm_workers  # noqa: PLC0415 - starts MPI, which runs already

    workers = get_comm_workers()
    try:
        return function(*args)
    finally:
        workers.Barrier()


def _cores() -> int:
    """In a rank that trains: return its share of the cores of its host, or less if another rank's is less."""
    from mpi4py.futures import get_comm_workers  # noqa: PLC0415 - starts MPI, which runs already

    return cores_of_each_rank(load_mpi(), get_comm_workers())


def _begin(sweep: tuple[str, str], driver_version: str) -> str:
    """In a rank that trains: get ready, and return what keeps it from training; empty if nothing does."""
    world = load_mpi().COMM_WORLD
    if world.iprobe(source=0, tag=_BEGIN):  # this rank wasn't in serve
        world.recv(source=0, tag=_BEGIN)
    for name in [name for name in os.environ if name.startswith(LAUNCHERS_VARIABLES)]:
        del os.environ[name]
    problem = worker_problem(*sweep, driver_version)
    return problem and f"rank {world.Get_rank()} of {world.Get_size()}, on {gethostname()}, {problem}"


def _train(sweep: tuple[str, str], call: TrialCall) -> TrainingEnd:
    """In a rank that trains: train a trial; stop it if rank 0 asks for it."""
    world = load_mpi().COMM_WORLD

    def must_stop() -> bool:
        asked: bool = world.iprobe(source=0, tag=_STOP)  # the message stays there, so that later trials stop, too
        return asked

    return train(sweep, call, must_stop)


def _end(sweep: tuple[str, str]) -> None:
    """In a rank that trains: end the process that trains, once its trial is saved."""
    end_training(sweep[0])
    load_mpi().COMM_WORLD.recv(source=0, tag=_STOP)  # MPI can't end in order before it is taken
