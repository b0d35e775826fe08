"""What may train the trials of a sweep, by the names that ``on`` and ``--on`` take."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mlpkit.components.engine import Engine
from mlpkit.errors import UsageError
from mlpkit.groups.local_workers import LocalWorkers
from mlpkit.network.component_errors import component_errors
from mlpkit.system import expect_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlpkit.components.engine import Workers
    from mlpkit.registry.registry import Registry

LOCAL: Final = "local"
DASK: Final = "dask"
MPI: Final = "mpi"
SLURM: Final = "slurm"


@dataclass(frozen=True)
class BuiltIn:
    """What comes with mlpkit to train the trials of a sweep.

    Args:
        start: returns its workers, given how many trials train at once at most, or None, and the values of its own
            options.
        options: its own options, by their names: what messages call them.
        needs: what it needs beside mlpkit; empty for nothing.
    """

    start: Callable[..., Workers]
    options: Mapping[str, str] = field(default_factory=dict)
    needs: str = ""


@dataclass(frozen=True)
class EngineChoice:
    """What is to train the trials of a sweep.

    Args:
        name: that of the engine; one of a plugin has its namespace.
        workers: how many trials train at once at most; None for as many as the engine has workers.
        options: values of engines' own options, by name; false for those that aren't given.
    """

    name: str = LOCAL
    workers: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def expect_possible(self, registry: Registry) -> None:
        """Make sure that there is such an engine, and that all options that are given are its own.

        Args:
            registry: the plugins; the one that the engine's namespace names is loaded.

        Raises:
            UsageError: it isn't so.
            UnknownComponentError: no plugin provides the engine.
        """
        expect_processes("a sweep")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"{self.workers} workers can't train anything; expected at least 1")
        if "." in self.name:
            registry.find((Engine.kind,), self.name)
        elif self.name not in ENGINES:
            *others, last = ENGINES
            raise UsageError(f"there is no engine '{self.name}' for sweeps; expected {', '.join(others)} or {last}")
        for engine, about in ENGINES.items():
            for option, called in about.options.items():
                if self.options.get(option) and engine != self.name:
                    raise UsageError(f"{called} goes with the engine {engine}, not with {self.name}")

    @contextmanager
    def started(self, registry: Registry) -> Iterator[Workers]:
        """Return the workers, and end them at the end of the block.

        Args:
            registry: the plugins.

        Raises:
            UsageError: a library is missing, or the workers can't be used.
        """
        workers = self._started_workers(registry)
        try:
            yield workers
        finally:
            workers.shutdown()

    def _started_workers(self, registry: Registry) -> Workers:
        if "." in self.name:
            with component_errors(f"engine {self.name} failed in start"):
                found: Workers = registry.create(Engine.kind, self.name).start(self.workers)
                return found
        engine = ENGINES[self.name]
        own = {option: value for option, value in self.options.items() if option in engine.options}
        try:
            return engine.start(self.workers, **own)
        except ImportError as error:
            raise UsageError(
                f'the engine {self.name} needs {engine.needs}; install it with: pip install "mlpkit[{self.name}]"'
            ) from error


def _dask_workers(most: int | None, scheduler: str) -> Workers:
    from mlpkit.verbs.sweep.dask_workers import DaskWorkers  # noqa: PLC0415 - an extra, and slow to import

    return DaskWorkers(scheduler, most)


def _mpi_workers(most: int | None) -> Workers:
    from mlpkit.verbs.sweep.mpi_workers import MpiWorkers  # noqa: PLC0415 - an extra

    return MpiWorkers(most)


def _slurm_workers(most: int | None, slurm: Mapping[str, object]) -> Workers:
    from mlpkit.verbs.sweep.slurm_workers import SlurmWorkers  # noqa: PLC0415 - an extra

    return SlurmWorkers(slurm, most)


ENGINES: Final[Mapping[str, BuiltIn]] = {
    LOCAL: BuiltIn(LocalWorkers),
    DASK: BuiltIn(_dask_workers, {"scheduler": "a scheduler"}, "Dask"),
    MPI: BuiltIn(_mpi_workers, needs="mpi4py"),
    SLURM: BuiltIn(_slurm_workers, {"slurm": "a setting of Slurm"}, "submitit"),
}
"""Those that come with mlpkit; what one needs is an extra of mlpkit with the engine's name."""
