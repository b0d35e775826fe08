"""What each process does if ``mpiexec`` started several to train one network."""

from __future__ import annotations

import math
import os
import signal
import warnings
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from mlpkit.cli.exit_codes import error_report, traceback_of
from mlpkit.cli.launcher import once_a_host, started_processes
from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlpkit.training.mpi import MpiRanks
    from mlpkit.training.ranks import Ranks

MOST_SECONDS: Final = 86_400
"""The longest that a rank may wait for others."""


def takes_ranks(command: Callable[..., None]) -> Callable[..., None]:
    """Give a verb an argument ``ranks``, the processes to train with; with those that aren't rank 0, help rank 0."""

    @wraps(command)
    def with_ranks(*args: Any, mpi: bool | None, plugins: Sequence[str], blocked: Sequence[str], **kwargs: Any) -> None:
        with joined_ranks(mpi, plugins, blocked) as ranks:
            command(*args, ranks=ranks, plugins=plugins, blocked=blocked, **kwargs)

    return with_ranks


@contextmanager
def joined_ranks(mpi: bool | None, plugins: Sequence[str], blocked: Sequence[str]) -> Iterator[Ranks]:
    """Join the processes that were started together; in those that aren't rank 0, assist it and end the program.

    Args:
        mpi: whether to look for others; None to look whether there are any.
        plugins: files that are plugins too.
        blocked: namespaces, or names of components, to do without.

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
        _assist(ranks, plugins, blocked)
        raise click.exceptions.Exit(0)
    with ranks:
        yield ranks if ranks.size > 1 else _one_rank()


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
    patience = _patience()
    signal.alarm(math.ceil(patience))  # MPI would wait for ever for a process that failed before it could connect
    try:
        ranks = _connected(patience)
    finally:
        signal.alarm(0)
    if ranks.size < started:
        raise once_a_host(
            f"mpiexec started {started} processes, but the MPI library that mpi4py loads connects {ranks.size}: they "
            "belong to different MPIs; expected the mpiexec that comes with that library, or mpi4py built for this one"
        )
    return ranks


def _connected(patience: float) -> MpiRanks:
    from mlpkit.training.mpi import join_ranks, load_mpi  # noqa: PLC0415 - most runs have one process

    try:
        mpi = load_mpi()
    except ImportError as error:
        raise once_a_host(
            f"mpi4py is needed to train one network in several processes ({error}); install it with: "
            'pip install "mlpkit[mpi]"; or give --no-mpi, and each process trains by itself'
        ) from error
    except RuntimeError as error:  # what mpi4py raises without an MPI library
        raise once_a_host(
            f"mpi4py can't use MPI: {' '.join(str(error).split())}; install the library that mpiexec "
            "belongs to, or both with: pip install mpich"
        ) from error
    return join_ranks(mpi, patience)


def _patience() -> float:
    from mlpkit.training.mpi import SECONDS_OF_PATIENCE, TIMEOUT  # noqa: PLC0415 - for the same reason

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


def _assist(ranks: MpiRanks, plugins: Sequence[str], blocked: Sequence[str]) -> None:
    """Do this rank's part, in silence; signals go to all ranks, and rank 0 decides what becomes of them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    from mlpkit.jobs.assist import assist  # noqa: PLC0415 - most runs have one process

    try:
        with warnings.catch_warnings(action="ignore"):
            assist(ranks, plugins=plugins, blocked=blocked)
    except BaseException as error:
        report = error_report(error)
        message = report.text.removeprefix("error: ")
        ranks.report_failure(message, report.notes, report.exit_code, traceback_of(error))
