"""Reads from the environment which processes ``mpiexec`` and similar launchers started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

import click

from mlpkit.errors import UsageError

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
