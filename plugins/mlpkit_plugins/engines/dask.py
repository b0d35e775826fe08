"""The engine that trains on the workers of a Dask cluster."""

from __future__ import annotations

from typing import ClassVar

from mlpkit import Workers
from mlpkit_plugins.engines.remote import Remote


class Dask(Remote):
    """Trains trials on the workers of a Dask cluster.

    If a worker is lost, another continues its trial from the last checkpoint.

    Args:
        scheduler: the address of the scheduler, such as ``tcp://192.0.2.1:8786``; by default a cluster on this machine.

    Source: Rocklin, Dask: Parallel Computation with Blocked algorithms and Task Scheduling, Python in Science
        Conference (2015).
    """

    package: ClassVar[str] = "Dask"

    scheduler: str = ""

    def start(self, most: int | None) -> Workers:
        """Return the workers of the cluster."""
        workers: Workers = self.load().DaskWorkers(self.scheduler, most)
        return workers
