"""What may train the trials of a sweep, by the names that ``on`` and ``--on`` take."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mlpkit.errors import UsageError
from mlpkit.groups.local_workers import LocalWorkers
from mlpkit.system import expect_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlpkit.groups.local_workers import Workers

LOCAL: Final = "local"
DASK: Final = "dask"
MPI: Final = "mpi"
SLURM: Final = "slurm"


@dataclass(frozen=True)
class Engine:
    """What may train the trials of a sweep.

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
        name: that of the engine.
        workers: how many trials train at once at most; None for as many as the engine has workers.
        options: values of engines' own options, by name; false for those that aren't given.
    """

    name: str = LOCAL
    workers: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def expect_possible(self) -> None:
        """Make sure that there is such an engine, and that all options that are given are its own.

        Raises:
            UsageError: it isn't so.
        """
        expect_processes("a sweep")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"{self.workers} workers can't train anything; expected at least 1")
        if self.name not in ENGINES:
            *others, last = ENGINES
            raise UsageError(f"there is no engine '{self.name}' for sweeps; expected {', '.join(others)} or {last}")
        for engine, about in ENGINES.items():
            for option, called in about.options.items():
                if self.options.get(option) and engine != self.name:
                    raise UsageError(f"{called} goes with the engine {engine}, not with {self.name}")

    @contextmanager
    def started(self) -> Iterator[Workers]:
        """Return the workers, and end them at the end of the block.

        Raises:
            UsageError: a library is missing, or the workers can't be used.
        """
        engine = ENGINES[self.name]
        own = {option: value for option, value in self.options.items() if option in engine.options}
        try:
            workers = engine.start(self.workers, **own)
        except ImportError as error:
            raise UsageError(
                f'the engine {self.name} needs {engine.needs}; install it with: pip install "mlpkit[{self.name}]"'
            ) from error
        try:
            yield workers
        finally:
            workers.shutdown()


def _dask_workers(most: int | None, scheduler: str) -> Workers:
    from mlpkit.verbs.sweep.dask_workers import DaskWorkers  # noqa: PLC0415 - an extra, and slow to import

    return DaskWorkers(scheduler, most)


def _mpi_workers(most: int | None) -> Workers:
    from mlpkit.verbs.sweep.mpi_workers import MpiWorkers  # noqa: PLC0415 - an extra

    return MpiWorkers(most)


def _slurm_workers(most: int | None, slurm: Mapping[str, object]) -> Workers:
    from mlpkit.verbs.sweep.slurm_workers import SlurmWorkers  # noqa: PLC0415 - an extra

    return SlurmWorkers(slurm, most)


ENGINES: Final[Mapping[str, Engine]] = {
    LOCAL: Engine(LocalWorkers),
    DASK: Engine(_dask_workers, {"scheduler": "a scheduler"}, "Dask"),
    MPI: Engine(_mpi_workers, needs="mpi4py"),
    SLURM: Engine(_slurm_workers, {"slurm": "a setting of Slurm"}, "submitit"),
}
"""All engines; what one needs is an extra of mlpkit with the engine's name."""
