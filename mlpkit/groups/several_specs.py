"""Training several specs in one go, as many runs at once as there are cores for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpkit.errors import MlpkitError
from mlpkit.groups.ensemble import MEMBER, average, prepare_networks, prove_networks
from mlpkit.groups.ensemble_folder import EnsembleFolder
from mlpkit.groups.seeds import prepare_seeds, prove_seeds
from mlpkit.groups.seeds_folder import SeedsFolder
from mlpkit.groups.several_runs import share_of_cores, train_runs
from mlpkit.groups.training_process import described
from mlpkit.jobs.evaluate import in_order
from mlpkit.jobs.first_weights import expect_another_folder
from mlpkit.jobs.prove import expect_own_files, prove
from mlpkit.jobs.train import prepare
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.overview import FAILED, FINISHED, STOPPED
from mlpkit.system import expect_processes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlpkit.errors import Diagnostic
    from mlpkit.specfile.spec import Spec
    from mlpkit.training.events import Listener, StopRequest


@dataclass(frozen=True)
class SpecResult:
    """What came of one of several specs.

    Args:
        spec: the path of the spec.
        folder: its run folder, or that of its seeds' runs.
        metrics: loss and metrics at the end, by split; with several seeds, the mean of each with its interval. Empty if
            training is not over.
        problem: what went wrong, perhaps with some of its runs only; empty if nothing did.
        stopped: why training was stopped before its end, to be resumed; empty if it was not.
    """

    spec: str
    folder: Path
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    problem: str = ""
    stopped: str = ""

    @property
    def state(self) -> str:
        """Its state, as for a run: ``finished``, ``failed`` or ``stopped``."""
        return STOPPED if self.stopped else FAILED if self.problem else FINISHED


@dataclass(frozen=True)
class SpecResults:
    """What came of several specs.

    Args:
        specs: what came of each, in the order in which they were given.
        stopped: why training was stopped before its end, to be resumed; empty if it was not.
    """

    specs: Sequence[SpecResult]
    stopped: str = ""

    @property
    def finished(self) -> list[SpecResult]:
        """Those that are trained to their ends."""
        return self._in_state(FINISHED)

    @property
    def failed(self) -> list[SpecResult]:
        """Those that went wrong."""
        return self._in_state(FAILED)

    @property
    def unfinished(self) -> list[SpecResult]:
        """Those that were stopped before their ends."""
        return self._in_state(STOPPED)

    def _in_state(self, state: str) -> list[SpecResult]:
        return [each for each in self.specs if each.state == state]


class ProvedSpec(ABC):
    """A spec that is proved, and ready to be trained.

    Args:
        spec: the spec.

    Attributes:
        count: how many runs it has.
        warnings: what of its data is most likely not meant.
    """

    count: int
    warnings: Sequence[Diagnostic]

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    @abstractmethod
    def prepare(self, directory: Path, cores: int | None, kept: ExitStack, undo: ExitStack) -> PreparedRuns:
        """Make the folders of its runs.

        Args:
            directory: the folder of all; missing or empty.
            cores: the cores that there are for each run; None for all.
            kept: keeps the folder's writer until the end.
            undo: removes the folders again, if no run has begun.

        Raises:
            MlpkitError: as ``run`` does.
        """

    @abstractmethod
    def sum_up(self, directory: Path) -> Mapping[str, Mapping[str, Any]]:
        """Write what sums up the runs, all of which are over, and return loss and metrics by split.

        Raises:
            MlpkitError: a file can't be read or written.
        """


class PreparedRuns(NamedTuple):
    """The runs of a spec, which are yet to begin.

    Args:
        what: what the number of a run is; empty for the only one.
        members: the run folders, by number.
        threads: BLAS threads of each.
    """

    what: str
    members: Mapping[int, Path]
    threads: int


class _OneRun(ProvedSpec):
    """A spec that trains one network."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._proved = prove(spec.with_seed(spec.seeds[0]))
        self.count, self.warnings = 1, self._proved.warnings

    def prepare(self, directory: Path, cores: int | None, kept: ExitStack, undo: ExitStack) -> PreparedRuns:
        expect_another_folder(self._proved.spec, directory)
        with RunFolder.create(directory) as folder:
            undo.callback(folder.discard_if_unused)
        plan = prepare(self._proved, directory, cores=cores)
        del self._proved  # its data would stay in memory
        return PreparedRuns("", {0: directory}, plan.threads)

    def sum_up(self, directory: Path) -> Mapping[str, Mapping[str, Any]]:
        return in_order(RunFolder(directory).read_metrics(), self.spec)


class _SeveralSeeds(ProvedSpec):
    """A spec that trains a network with each of several seeds."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._proved = prove_seeds(spec)
        self.count, self.warnings = len(self._proved), self._proved[0].warnings

    def prepare(self, directory: Path, cores: int | None, kept: ExitStack, undo: ExitStack) -> PreparedRuns:
        self._folder = kept.enter_context(SeedsFolder.create(directory, self.spec.seeds))
        undo.callback(self._folder.discard)
        threads = prepare_seeds(self._proved, self._folder, cores)
        del self._proved  # as above
        return PreparedRuns("seed", self._folder.members, threads)

    def sum_up(self, directory: Path) -> Mapping[str, Mapping[str, Any]]:
        self._folder.write_summary()
        return self._folder.summary()


class _Ensemble(ProvedSpec):
    """A spec that trains the networks of an ensemble."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._proved = prove_networks(spec)
        self.count, self.warnings = len(self._proved) - 1, self._proved[0].warnings

    def prepare(self, directory: Path, cores: int | None, kept: ExitStack, undo: ExitStack) -> PreparedRuns:
        self._folder = kept.enter_context(EnsembleFolder.create(directory, self.count))
        undo.callback(self._folder.discard)
        prepare_networks(self._proved, self._folder)
        del self._proved  # as above
        return PreparedRuns(MEMBER, self._folder.members, self.spec.training.threads or 1)

    def sum_up(self, directory: Path) -> Mapping[str, Mapping[str, Any]]:
        return average(self._folder, self.spec.registry).metrics if not self._folder.unfinished else {}


def prove_spec(spec: Spec) -> ProvedSpec:
    """Prove a spec as training does before it begins.

    Raises:
        SpecError: it is wrong, or doesn't fit its data.
        DataError: the header of a data file is not what it should be.
    """
    expect_own_files(spec)
    if len(spec.seeds) > 1:
        return _SeveralSeeds(spec)
    return _Ensemble(spec) if spec.trains_ensemble else _OneRun(spec)


def run_specs(
    specs: Sequence[ProvedSpec],
    directories: Sequence[Path],
    *,
    workers: int | None = None,
    observer: Listener,
    stop: StopRequest,
) -> SpecResults:
    """Train several specs, each to the same bits as on its own.

    A run that fails leaves the others alone.

    Args:
        specs: the specs, all with the same plugins.
        directories: where to keep each; missing or empty.
        workers: how many runs train at once, each with its share of the cores; by default as many as there are cores
            for.
        observer: receives the events; the runs of all specs are numbered in order.
        stop: may ask that training end after the steps that it is in; the runs then keep checkpoints.

    Raises:
        UsageError: another process can't load a plugin, or no other process can be started.
        MlpkitError: the runs can't be prepared; nothing is trained then.
    """
    expect_processes("training several specs")
    arguments = specs[0].spec.registry.arguments()
    cores = share_of_cores(workers, sum(each.count for each in specs))
    with ExitStack() as kept:
        prepared = _prepared(specs, directories, cores, kept)
        numbered = [(each, number) for each in prepared for number in each.members]
        runs = {k: each.members[number] for k, (each, number) in enumerate(numbered)}
        threads = {k: each.threads for k, (each, _) in enumerate(numbered)}
        failures = train_runs(runs, threads, arguments, observer, stop, workers=workers)
        problems = {runs[k]: failure for k, failure in failures.items()}
        results = [
            _result(spec, directory, each, problems, stop.reason)
            for spec, directory, each in zip(specs, directories, prepared, strict=True)
        ]
        return SpecResults(results, stop.reason)


def _prepared(
    specs: Sequence[ProvedSpec], directories: Sequence[Path], cores: int | None, kept: ExitStack
) -> list[PreparedRuns]:
    """Prepare the runs of all specs, or leave nothing."""
    with ExitStack() as undo:
        places = zip(specs, directories, strict=True)
        prepared = [spec.prepare(directory, cores, kept, undo) for spec, directory in places]
        undo.pop_all()
    return prepared


def _result(
    spec: ProvedSpec, directory: Path, runs: PreparedRuns, problems: Mapping[Path, str], stopped: str
) -> SpecResult:
    """Return what came of a spec.

    Args:
        spec: the spec.
        directory: its folder.
        runs: its runs.
        problems: what went wrong, by run folder.
        stopped: why training was stopped before its end; empty if it was not.
    """
    path = str(spec.spec.document.path)
    failed = {number: problems[each] for number, each in runs.members.items() if each in problems}
    problem = "; ".join(f"{runs.what} {number}: {text}" if runs.what else text for number, text in failed.items())
    if stopped and not all(RunFolder(each).finished for n, each in runs.members.items() if n not in failed):
        return SpecResult(path, directory, problem=problem, stopped=stopped)
    try:
        metrics = spec.sum_up(directory) if len(failed) < len(runs.members) else {}
    except MlpkitError as error:
        return SpecResult(path, directory, problem=problem or described(error))
    return SpecResult(path, directory, metrics, problem)
