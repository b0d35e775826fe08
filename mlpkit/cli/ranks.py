"""What each process does if ``mpiexec`` started several, to train one network or the trials of a sweep."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli.launcher import once, started_processes
from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlpkit.components.engine import Engine
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.training.ranks import Ranks


def with_ranks(command: Callable[..., None]) -> Callable[..., None]:
    """Give a verb an argument ``ranks``, the processes to train with; ranks other than 0 assist rank 0."""

    @wraps(command)
    def wrapped(*args: Any, mpi: bool | None, plugin_options: PluginOptions, **kwargs: Any) -> None:
        with joined_ranks(mpi, plugin_options) as ranks:
            command(*args, ranks=ranks, plugin_options=plugin_options, **kwargs)

    return wrapped


@contextmanager
def joined_ranks(mpi: bool | None, plugin_options: PluginOptions) -> Iterator[Ranks]:
    """Join the processes that were started together, unless ``mpi`` is False; all but rank 0 assist it, and exit."""
    from mlpkit.training.ranks import ONE_RANK  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    started = started_processes(os.environ)
    if mpi is False or (mpi is None and started == 1):
        yield ONE_RANK
        return
    from mlpkit.cli.mpi import assist_rank_0, join  # noqa: PLC0415 - most runs have one process

    ranks = join(started)
    if ranks.rank:
        assist_rank_0(ranks, plugin_options)
        raise click.exceptions.Exit(0)
    with ranks:
        yield ranks if ranks.size > 1 else ONE_RANK


@contextmanager
def ranks_as_workers(engine: Engine | None) -> Iterator[None]:
    """Have the other processes that were started together train for an engine; in these, end the program then."""
    started = started_processes(os.environ)
    if engine is None:
        if started > 1:
            raise once(
                f"{started} processes were started together, and each would run the whole sweep; with --on mpi, the "
                f"first runs it and the rest train its trials"
            )
        yield
        return
    from mlpkit.cli.mpi import serve  # noqa: PLC0415 - most sweeps have one process

    if serve(engine, started):
        raise click.exceptions.Exit(0)
    try:
        yield
    finally:
        engine.release_ranks()


def require_one_rank(ranks: Ranks, several: bool) -> None:
    """Check that several runs, which train in separate processes, weren't started by MPI, or raise ``UsageError``."""
    if several and ranks.size > 1:
        raise UsageError(
            f"{ranks.size} ranks can't train several specs, seeds or networks of an ensemble together; start mlpkit "
            "without mpiexec, and it trains as many at once as the cores allow"
        )
