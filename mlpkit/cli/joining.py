"""Connecting the processes that ``mpiexec`` started, and what those do that aren't rank 0."""

from __future__ import annotations

import math
import os
import signal
import sys
import warnings
from contextlib import contextmanager
from socket import gethostname
from typing import TYPE_CHECKING, Any, Final

from mlpkit.cli import mpi
from mlpkit.cli.exit_codes import error_report, traceback_of
from mlpkit.cli.launcher import is_first, is_first_on_host, once
from mlpkit.errors import UsageError
from mlpkit.jobs.train import assist
from mlpkit.system import STOP_SIGNALS, end_process_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

    from mlpkit.cli.mpi import MpiRanks
    from mlpkit.components.engine import Engine
    from mlpkit.registry.discovery import PluginOptions

MOST_SECONDS: Final = 86_400
"""The longest that a rank may wait for others."""


def join(started: int) -> MpiRanks:
    """Connect this process to the other ranks, to train one network, or raise ``UsageError``."""
    patience = _patience()
    with _within(patience):
        without = "mpi4py is needed to train one network in several processes"
        library = _load_mpi("funneled", without, "; or give --no-mpi, and each process trains by itself")
        with mpi.mpi_errors(library):
            ranks = mpi.MpiRanks(library, library.COMM_WORLD, patience)
    _require_connected(ranks.size, started)
    return ranks


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """End the process if the block takes longer: MPI would wait for ever for one that failed to connect."""
    end_process_after(math.ceil(seconds))
    try:
        yield
    finally:
        end_process_after(0)


def _load_mpi(thread_level: str, without: str, instead: str) -> Any:
    """Start MPI for some threads, and return ``mpi4py.MPI``, or an error with what else there is to do."""
    try:
        return mpi.load_mpi(thread_level)
    except ImportError as error:
        raise _once_per_host(f'{without} ({error}); install it with: pip install "mlpkit[mpi]"{instead}') from error
    except RuntimeError as error:  # what mpi4py raises without an MPI library
        raise _once_per_host(
            f"mpi4py can't use MPI: {' '.join(str(error).split())}; install the library that mpiexec "
            "belongs to, or both with: pip install mpich"
        ) from error


def _require_connected(size: int, started: int) -> None:
    if size < started:
        raise _once_per_host(
            f"mpiexec started {started} processes, but the MPI library that mpi4py loads connects {size}: they come "
            "from different MPI installations; expected the mpiexec that comes with that library, or mpi4py built for "
            "this one"
        )


def _patience() -> float:
    text = os.environ.get(mpi.TIMEOUT, "")
    try:
        seconds = float(text or mpi.SECONDS_OF_PATIENCE)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MOST_SECONDS:
        raise _once_per_host(
            f"{mpi.TIMEOUT}={text}: expected the seconds that a rank waits for others, such as {mpi.TIMEOUT}=300; at "
            f"most {MOST_SECONDS:,}, a day"
        )
    return seconds


@contextmanager
def _silence() -> Iterator[None]:
    """Do another rank's part, in silence; signals go to all ranks, and rank 0 decides what becomes of them."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    with warnings.catch_warnings(action="ignore"):
        yield


def assist_rank_0(ranks: MpiRanks, plugin_options: PluginOptions) -> None:
    """Do this rank's part of a training, until rank 0 ends it; what fails is reported to rank 0."""
    try:
        with _silence():
            assist(ranks, **plugin_options)
    except BaseException as error:
        report = error_report(error)
        message = report.text.removeprefix("error: ")
        ranks.report_failure(message, report.notes, report.exit_code, traceback_of(error))


def serve(engine: Engine, started: int) -> bool:
    """Train the trials of a sweep until rank 0 ends it; return whether this process did so, and isn't rank 0."""
    with _within(_patience()):
        world = _load_mpi("multiple", f"the engine {engine.registered_name} needs mpi4py", "").COMM_WORLD
    _require_connected(world.Get_size(), started)
    if not world.Get_rank():
        return False
    try:
        with _silence():
            engine.serve()
    except BaseException as error:
        sys.stderr.write(f"{error_report(error).text}\n{traceback_of(error)}")
        world.Abort(1)
    return True


def _once_per_host(message: str) -> UsageError | click.exceptions.Exit:
    """Return an error that may be one host's alone: processes that aren't connected can't agree on who reports it."""
    if is_first():
        return UsageError(message)
    return UsageError(f"on {gethostname()}: {message}") if is_first_on_host() else once(message)
