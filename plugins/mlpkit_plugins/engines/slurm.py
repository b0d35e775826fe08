"""The engine that trains in Slurm jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit_plugins.engines.remote import Remote

if TYPE_CHECKING:
    from mlpkit import Workers


class Slurm(Remote):
    """Trains each trial in a Slurm job.

    At the end of a job's time, and when the sweep is stopped, the trial saves a checkpoint.

    Args:
        slurm: an option of sbatch for each job, such as ``time=60`` or ``partition=cpu``; True for one without a value.

    Source: Yoo, Jette and Grondona, SLURM: Simple Linux Utility for Resource Management, JSSPP (2003).
    """

    package: ClassVar[str] = "submitit"

    def __init__(self, slurm: Mapping[str, Any] | None = None) -> None:
        self._settings = slurm

    def start(self, most: int | None) -> Workers:
        """Return what hands in a job for each trial."""
        workers: Workers = self.load().SlurmWorkers(self._settings, most)
        return workers
