"""Training several specs in one go, as many runs at once as the cores allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from mlpkit.errors import MlpkitError
from mlpkit.groups.ensemble import EnsembleGroup
from mlpkit.groups.folders import NumberedRuns
from mlpkit.groups.local_workers import described
from mlpkit.groups.seeds import SeedsGroup
from mlpkit.groups.several_runs import Group, GroupSession, share_of_cores, train_runs
from mlpkit.jobs.evaluate import in_order
from mlpkit.jobs.prove import SpecProof
from mlpkit.jobs.train import prepare
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.overview import FAILED, FINISHED, STOPPED
from mlpkit.specfile.spec import Spec
from mlpkit.system import require_processes
from mlpkit.training.events import Listener, StopRequest


@dataclass(frozen=True)
class SpecResult:
    """The results of one of several specs, given by its path; with several seeds, the means with their intervals.

    Metrics are empty if training is not over. The problem may be of some of its runs only. ``stopped`` is why training
    was stopped before its end, to be resumed.
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
    """The results of several specs, in the order in which they were given, and why training was stopped, if it was."""

    specs: Sequence[SpecResult]
    stopped: str = ""

    def in_state(self, state: str) -> list[SpecResult]:
        """Return the specs that are finished, failed, or were stopped."""
        return [each for each in self.specs if each.state == state]


class _OneRun(Group):
    """A spec that trains one network, as a group of one."""

    what = ""

    def keep_in(self, run: RunFolder) -> Self:
        run.close()  # the process that trains it becomes its writer
        self.folder = NumberedRuns(run, dict.fromkeys(self.numbers, run.directory))
        return self

    def _prepare(self, proved: Sequence[SpecProof], cores: int | None) -> int:
        return prepare(proved[0], self.folder.directory, cores=cores).threads

    def sum_up(self) -> Mapping[str, Mapping[str, Any]]:
        return in_order(RunFolder(self.folder.directory).read_metrics(), self.spec)


def group_of(spec: Spec) -> Group | None:
    """Return the runs of a spec that trains several; None for one that trains a single network."""
    if len(spec.seeds) > 1:
        return SeedsGroup(spec)
    return EnsembleGroup(spec) if spec.trains_ensemble else None


def prove_spec(spec: Spec) -> Group:
    """Prove a spec, as training does first."""
    return (group_of(spec) or _OneRun(spec)).prove()


def run_specs(
    specs: Sequence[Group],
    directories: Sequence[Path],
    *,
    workers: int | None = None,
    observer: Listener,
    stop: StopRequest,
) -> SpecResults:
    """Train several specs, each to the same bits as on its own.

    A run that fails doesn't affect other runs.
    """
    require_processes("training several specs")
    session = GroupSession(specs[0].spec.registry.arguments(), observer, stop, workers)
    cores = share_of_cores(workers, sum(len(each.numbers) for each in specs))
    with ExitStack() as kept:
        threads_of = []
        with ExitStack() as undo:
            for each, directory in zip(specs, directories, strict=True):
                threads_of.append(each.create(directory, cores))
                kept.enter_context(each.folder)
                undo.callback(each.folder.discard)
            undo.pop_all()
        runs = dict(enumerate(run for each in specs for run in each.folder.members.values()))
        failures = train_runs(runs, max(threads_of), session)
        problems = {runs[k]: failure for k, failure in failures.items()}
        return SpecResults([_result(each, problems, stop.reason) for each in specs], stop.reason)


def _result(group: Group, problems: Mapping[Path, str], stopped: str) -> SpecResult:
    """Return the result of a spec, given what went wrong by run folder."""
    path, directory, members = str(group.spec.document.path), group.folder.directory, group.folder.members
    failed = {number: problems[each] for number, each in members.items() if each in problems}
    problem = "; ".join(f"{group.what} {number}: {text}" if group.what else text for number, text in failed.items())
    if stopped and not all(RunFolder(each).finished for n, each in members.items() if n not in failed):
        return SpecResult(path, directory, problem=problem, stopped=stopped)
    try:
        metrics = group.sum_up() if len(failed) < len(members) else {}
    except MlpkitError as error:
        return SpecResult(path, directory, problem=problem or described(error))
    return SpecResult(path, directory, metrics, problem)
