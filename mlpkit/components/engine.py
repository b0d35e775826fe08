"""Engines: what trains the trials of a sweep."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from mlpkit.components.component import Component

if TYPE_CHECKING:
    from concurrent.futures import Future

LOCAL: Final = "local"
"""The engine of this machine, which needs no plugin."""


class Workers(Protocol):
    """What trains the trials of a sweep: an executor as ``concurrent.futures`` has them, perhaps on other machines.

    A worker shares the folder of the sweep with the driver, and nothing else.

    Attributes:
        threads: the cores that each may take.
    """

    threads: int

    @property
    def count(self) -> int:
        """How many trials train at once; it may change, and is at least 1."""

    def submit(
        self, function: Callable[..., Any], directory: Path, *, timeout: float | None = None, **arguments: Any
    ) -> Future[Any]:
        """Train the trial of a folder; if its worker dies, the end names the cause.

        One in which nothing happens for ``timeout`` seconds counts as dead, unless something else limits its time.
        """

    def stop(self) -> None:
        """Ask that all trials stop after the steps that they are in."""

    def shutdown(self) -> None:
        """End the workers."""


class Engine(Component):
    """Starts the workers that train the trials of a sweep.

    Attributes:
        shares_ranks: whether the workers are the other processes that ``mpiexec`` started: each of these calls
            ``serve``, and the first one ``release_ranks`` at the end.
    """

    kind = "engine"
    shares_ranks: ClassVar[bool] = False

    @abstractmethod
    def start(self, most: int | None) -> Workers:
        """Return the workers; mlpkit calls their ``shutdown`` at the end of the sweep.

        Args:
            most: how many trials may train at once; None for as many as there are workers.

        Raises:
            UsageError: a library is missing, or the workers can't be used.
        """

    def serve(self) -> None:
        """Train what the first process hands out, until it calls ``release_ranks``."""
        raise NotImplementedError

    def release_ranks(self) -> None:
        """End the other processes."""
        raise NotImplementedError
