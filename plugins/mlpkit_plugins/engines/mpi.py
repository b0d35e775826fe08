"""The engine that trains in processes started by ``mpiexec``."""

from __future__ import annotations

from typing import ClassVar

from mlpkit import Workers
from mlpkit_plugins.engines.remote import Remote


class Mpi(Remote):
    """Trains trials in the MPI ranks that ``mpiexec`` started, while rank 0 drives the sweep.

    Each of the other ranks trains one trial after the other.

    Source: Rogowski et al., mpi4py.futures: MPI-Based Asynchronous Task Execution for Python, IEEE Transactions on
        Parallel and Distributed Systems 34 (2023).
    """

    package: ClassVar[str] = "mpi4py"
    shares_ranks: ClassVar[bool] = True

    def start(self, most: int | None) -> Workers:
        """Return the other ranks."""
        workers: Workers = self.load().MpiWorkers(most)
        return workers

    def serve(self) -> None:
        """Train the trials that rank 0 sends, until it ends all ranks."""
        self.load().serve()

    def release_ranks(self) -> None:
        """End the other ranks."""
        self.load().release_ranks()
