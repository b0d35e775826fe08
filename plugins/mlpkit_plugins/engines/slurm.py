"""The engine that trains in Slurm jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlpkit import Workers
from mlpkit_plugins.engines.remote import Remote


class Slurm(Remote):
    """Trains each trial in a Slurm job.

    The trial saves a checkpoint before the job's time limit, and when the sweep is stopped.

    Args:
        slurm: options of sbatch for each job, such as ``time=60`` or ``partition=cpu``; True for one without a value.

    Source: Yoo, Jette and Grondona, SLURM: Simple Linux Utility for Resource Management, JSSPP (2003).
    """

    package: ClassVar[str] = "submitit"

    slurm: Mapping[str, Any] | None = None

    def start(self, most: int | None) -> Workers:
        """Return the workers, which submit a job for each trial."""
        workers: Workers = self.load().SlurmWorkers(self.slurm, most)
        return workers
