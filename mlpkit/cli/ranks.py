"""What each process does if ``mpiexec`` started several, to train one network or the trials of a sweep."""

from __future__ import annotations

import math
import os
import signal
import sys
import warnings
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from mlpkit.cli.exit_codes import error_report, traceback_of
from mlpkit.cli.launcher import once, once_a_host, started_processes
from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlpkit.cli.mpi import MpiRanks
    from mlpkit.components.engine import Engine
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.training.ranks import Ranks

MOST_SECONDS: Final = 86_400
"""The longest that a rank may wait for others."""


def takes_ranks(command: Callable[..., None]) -> Callable[..., None]:
    """Give a verb an argument ``ranks``, the processes to train with; with those that aren't rank 0, help rank 0."""

    @wraps(command)
    def with_ranks(*args: Any, mpi: bool | None, plugin_options: PluginOptions, **kwargs: Any) -> None:
        with joined_ranks(mpi, plugin_options) as ranks:
            command(*args, ranks=ranks, plugin_options=plugin_options, **kwargs)

    return with_ranks


@contextmanager
def joined_ranks(mpi: bool | None, plugin_options: PluginOptions) -> Iterator[Ranks]:
    """Join the processes that were started together; in those that aren't rank 0, assist it and end the program.

    Args:
        mpi: whether to look for others; None to look whether there are any.
        plugin_options: the keywords of ``Registry.discover``.

    Raises:
        UsageError: there are several, but they can't be connected.
        Exit: this process isn't rank 0, and all is done.
    """
    started = started_processes(os.environ)
    if mpi is False or (mpi is None and started == 1):
        yield _one_rank()
        return
    ranks = _join(started)
    if ranks.rank:
        _assist(ranks, plugin_options)
        raise click.exceptions.Exit(0)
    with ranks:
        yield ranks if ranks.size > 1 else _one_rank()


@contextmanager
def ranks_as_workers(engine: Engine | None) -> Iterator[None]:
    """Have the other processes that were started together train the trials of a sweep; in these, end the program then.

    Args:
        engine: what has them do so; None if nothing does.

    Raises:
        UsageError: there are several, but no engine for them, or they can't be connected.
        Exit: this process isn't rank 0, and all is done.
    """
    started = started_processes(os.environ)
    if engine is None:
        if started > 1:
            raise once(
                f"{started} processes were started together, and each would do the whole sweep; let the others train "
                "the trials of the first: --on mpi"
            )
        yield
        return
    with _within(_patience()):
        world = _load_mpi("multiple", f"the engine {engine.registered_name} needs mpi4py", "").COMM_WORLD
    _expect_connected(world.Get_size(), started)
    if world.Get_rank():
        _train_trials(engine, world)
        raise click.exceptions.Exit(0)
    try:
        yield
    finally:
        engine.release_ranks()


def expect_one_rank(ranks: Ranks, several: bool) -> None:
    """Make sure that several runs, which train in processes of their own, weren't started by MPI.

    Raises:
        UsageError: they were.
    """
    if several and ranks.size > 1:
        raise UsageError(
            f"{ranks.size} ranks can't train several specs, seeds or networks of an ensemble together; start mlpkit "
            "without mpiexec, and it trains as many at once as there are cores for"
        )


def _one_rank() -> Ranks:
    from mlpkit.training.ranks import ONE_RANK  # noqa: PLC0415 - --help does without

    return ONE_RANK


def _join(started: int) -> MpiRanks:
    from mlpkit.cli.mpi import join_ranks  # noqa: PLC0415 - most runs have one process

    patience = _patience()
    with _within(patience):
        without = "mpi4py is needed to train one network in several processes"
        mpi = _load_mpi("funneled", without, "; or give --no-mpi, and each process trains by itself")
        ranks = join_ranks(mpi, patience)
    _expect_connected(ranks.size, started)
    return ranks


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """End the process if the block takes longer: MPI would wait for ever for one that failed before it could connect.

    Args:
        seconds: how long it may take.
    """
    signal.alarm(math.ceil(seconds))
    try:
        yield
    finally:
        signal.alarm(0)


def _load_mpi(thread_level: str, without: str, instead: str) -> Any:
    """Start MPI, and return the module ``mpi4py.MPI``.

    Args:
        thread_level: which threads call MPI.
        without: what can't be done without mpi4py.
        instead: what else there is to do than to install it.
    """
    from mlpkit.cli.mpi import load_mpi  # noqa: PLC0415 - most runs have one process

    try:
        return load_mpi(thread_level)
    except ImportError as error:
        raise once_a_host(f'{without} ({error}); install it with: pip install "mlpkit[mpi]"{instead}') from error
    except RuntimeError as error:  # what mpi4py raises without an MPI library
        raise once_a_host(
            f"mpi4py can't use MPI: {' '.join(str(error).split())}; install the library that mpiexec "
            "belongs to, or both with: pip install mpich"
        ) from error


def _expect_connected(size: int, started: int) -> None:
    if size < started:
        raise once_a_host(
            f"mpiexec started {started} processes, but the MPI library that mpi4py loads connects {size}: they "
            "belong to different MPIs; expected the mpiexec that comes with that library, or mpi4py built for this one"
        )


def _patience() -> float:
    from mlpkit.cli.mpi import SECONDS_OF_PATIENCE, TIMEOUT  # noqa: PLC0415 - for the same reason

    text = os.environ.get(TIMEOUT, "")
    try:
        seconds = float(text or SECONDS_OF_PATIENCE)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MOST_SECONDS:
        raise once_a_host(
            f"{TIMEOUT}={text}: expected how many seconds a rank waits for others, such as {TIMEOUT}=300; "
            f"at most {MOST_SECONDS:,}, a day"
        )
    return seconds


@contextmanager
def _silence() -> Iterator[None]:
    """Do another rank's part, in silence; signals go to all ranks, and rank 0 decides what becomes of them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with warnings.catch_warnings(action="ignore"):
        yield


def _assist(ranks: MpiRanks, plugin_options: PluginOptions) -> None:
    from mlpkit.jobs.assist import assist  # noqa: PLC0415 - most runs have one process

    try:
        with _silence():
            assist(ranks, **plugin_options)
    except BaseException as error:
        report = error_report(error)
        message = report.text.removeprefix("error: ")
        ranks.report_failure(message, report.notes, report.exit_code, traceback_of(error))


def _train_trials(engine: Engine, world: Any) -> None:
    try:
        with _silence():
            engine.serve()
    except BaseException as error:
        sys.stderr.write(f"{error_report(error).text}\n{traceback_of(error)}")
        world.Abort(1)
