"""Whether ``mpiexec`` or another launcher started several processes, and what each then does."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlpkit.components.engine import Engine
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.training.ranks import Ranks


SIZES: Final = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
"""Variables in which Open MPI, MPICH and its kin, or MVAPICH say how many processes they started."""

RANKS: Final = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "PMIX_RANK")
"""Variables in which they say which of them this one is; PMIx, as Slurm uses it, says only that."""

RANKS_ON_HOST: Final = ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID")
"""Variables in which they say which of the processes on its host this one is; Slurm's may be that of a whole script."""

SIZE_OF_STEP: Final = "SLURM_STEP_NUM_TASKS"


def started_processes(environment: Mapping[str, str]) -> int:
    """Return how many processes of this program were started together, according to the environment."""
    sizes = [environment[name] for name in SIZES if name in environment]
    if not sizes and RANKS[-1] in environment:
        sizes = [environment.get(SIZE_OF_STEP, "1")]
    return max((int(size) for size in sizes if size.isdecimal()), default=1)


def is_first() -> bool:
    """Whether this is the first or only process, the one that reports errors of all of them."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


def is_first_on_host() -> bool:
    """Whether this is the first of the processes on its host; True if that is unknown."""
    return next((os.environ[name] for name in RANKS_ON_HOST if name in os.environ), "0") == "0"


def once(message: str) -> UsageError | click.exceptions.Exit:
    """Return an error that is the same in all processes, which only the first reports."""
    return UsageError(message) if is_first() else click.exceptions.Exit(UsageError.exit_code)


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
