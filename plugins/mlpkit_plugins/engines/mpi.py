"""The engine that trains in the other processes that ``mpiexec`` started."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlpkit_plugins.engines.remote import Remote

if TYPE_CHECKING:
    from mlpkit import Workers


class Mpi(Remote):
    """Trains trials in the processes that ``mpiexec`` started, while the first drives the sweep.

    Each of the others, a rank of MPI, trains one trial after the other.

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
        """Train what rank 0 hands out, until it ends all ranks."""
        self.load().serve()

    def release_ranks(self) -> None:
        """End the other ranks."""
        self.load().release_ranks()
