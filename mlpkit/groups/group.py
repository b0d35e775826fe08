"""Several runs that a spec trains together: proved, prepared in their folder, trained where unfinished, summed up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from mlpkit.groups.several_runs import train_runs
from mlpkit.jobs.prove import prove
from mlpkit.jobs.resume_network import resume_network
from mlpkit.runs.folder import RunFolder
from mlpkit.training.ctrl_c import CtrlC
from mlpkit.training.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlpkit.errors import Diagnostic
    from mlpkit.groups.folders import NumberedRuns
    from mlpkit.groups.several_runs import GroupSession
    from mlpkit.jobs.prove import SpecProof
    from mlpkit.jobs.training_job import Run
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.specfile.spec import Spec
    from mlpkit.training.events import Listener

R = TypeVar("R")


class Group(ABC):
    """Several runs that a spec trains together: by default, one with each of its seeds.

    Args:
        spec: the spec.

    Attributes:
        numbers: the numbers of the runs.
        what: what the number of a run is called; empty for a single one.
        warnings: what of the data is most likely not meant, once it is proved.
        folder: the folder of all, once ``keep_in`` or ``create`` was called.
    """

    what: ClassVar[str]
    folder: NumberedRuns

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.numbers: Sequence[int] = spec.seeds
        self.warnings: Sequence[Diagnostic] = ()
        self._proved: Sequence[SpecProof] = ()

    def prove(self) -> Self:
        """Prove the spec of each run; see ``mlpkit.jobs.prove.prove``."""
        self._proved = self._proofs()
        self.warnings = self._proved[0].warnings
        return self

    def warn(self, observer: Listener) -> None:
        """Hand the warnings to an observer."""
        for warning in self.warnings:
            observer(Event(0, "warned", (warning,)))

    def prepare(self, cores: int | None = None) -> int:
        """Make a run folder for each run, then make their folder what it is, and return the threads of a run.

        Args:
            cores: the cores for a run; by default all.

        Raises:
            SpecSchemaError: the spec starts from the weights of a run that it would overwrite.
            DataError: a data file is not what it should be.
            StorageError: a folder can't be written.
        """
        threads = self._prepare(self._proved, cores)
        self._proved = ()  # their data would stay in memory
        return threads

    def _proofs(self) -> Sequence[SpecProof]:
        """Prove the spec of each run, and of all together if they have one."""
        return [prove(self.spec_of(number)) for number in self.numbers]

    @abstractmethod
    def _prepare(self, proved: Sequence[SpecProof], cores: int | None) -> int:
        """Do what ``prepare`` does with what was proved."""

    @abstractmethod
    def keep_in(self, run: RunFolder) -> Self:
        """Keep the runs in a folder, as its writer."""

    def spec_of(self, number: int) -> Spec:
        """Return the spec of a run."""
        return self.spec.with_seed(number)

    @abstractmethod
    def sum_up(self) -> Mapping[str, Mapping[str, Any]]:
        """Write what sums up the runs, once all are over, and return loss and metrics by split.

        Raises:
            MlpkitError: a file can't be read or written.
        """

    def create(self, directory: Path, cores: int | None = None) -> int:
        """Make the folder of all and prepare the runs in it, or leave nothing; see ``prepare``.

        Args:
            directory: the folder; missing or empty.
            cores: the cores for a run; by default all.
        """
        self.keep_in(RunFolder.create(directory))
        try:
            return self.prepare(cores)
        except BaseException:
            self.folder.discard()
            raise


def train_unfinished(folder: NumberedRuns, threads: int, session: GroupSession) -> tuple[dict[int, str], bool]:
    """Train the runs of a folder that are not finished; return what went wrong, and whether Ctrl-C came."""
    runs = {number: folder.members[number] for number in folder.unfinished}
    with CtrlC(session.stop) as ctrl_c:
        failures = train_runs(runs, threads, session)
    return failures, ctrl_c.received


def finished_runs(folder: NumberedRuns, plugin_options: PluginOptions) -> dict[int, Run]:
    """Load the finished runs of a folder, by number."""
    return {number: resume_network(folder.members[number], **plugin_options) for number in folder.results()}


def train_in(
    directory: str | Path | None,
    train: Callable[[Path], R],
    name: str,
    runs_of: Callable[[R], Mapping[int, Run]],
    stopped: str,
) -> R:
    """Train several runs in a folder; without one, in a folder that goes away once its runs are loaded.

    Args:
        directory: the folder, or None.
        train: trains them in the folder that it is given.
        name: the name of a folder that goes away.
        runs_of: returns the finished runs.
        stopped: the message after a Ctrl-C without a folder.
    """
    if directory is not None:
        return train(Path(directory))

    def leave_folder(found: Any) -> None:
        for run in (*runs_of(found).values(), found):
            run.folder = None

    with TemporaryDirectory(prefix="mlpkit-") as temporary:
        try:
            found = train(Path(temporary) / name)
        except KeyboardInterrupt as interrupt:
            if hasattr(interrupt, "run"):
                leave_folder(interrupt.run)
                interrupt.args = (stopped,)
            raise
        leave_folder(found)
        return found
