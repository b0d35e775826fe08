"""Training a spec with several seeds, as many at once as the cores allow, and a summary of their results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from shlex import quote
from types import ModuleType
from typing import Final, Self

from mlpkit.components.schema.wording import counted
from mlpkit.errors import RunFolderError
from mlpkit.groups.folders import SeedsFolder, Summary
from mlpkit.groups.several_runs import (
    Group,
    GroupSession,
    finished_runs,
    listed_runs,
    share_of_cores,
    train_in,
    train_unfinished,
)
from mlpkit.jobs.evaluate import Evaluation, evaluate, evaluate_file
from mlpkit.jobs.prove import SpecProof
from mlpkit.jobs.run_inputs import SPEC_HASH, lock_changes
from mlpkit.jobs.train import Run, prepare
from mlpkit.pages.notebook_tables import seeds_html
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import RunArgument, directory_of, kind_of
from mlpkit.runs.layout import RESOLVED
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.spec import Spec, require_spec
from mlpkit.system import require_processes
from mlpkit.terminal.figures import plus_minus_all
from mlpkit.training.events import Event, Listener, StopRequest, interrupt_with, python_warnings

STOPPED_WITHOUT_FOLDER: Final = (
    "stopped; the exception holds the finished runs: in a notebook, found = sys.last_value.run. With a directory, the "
    "rest could be resumed"
)


@dataclass(repr=False)
class SeedRuns:
    """The result of training a spec with several seeds.

    Args:
        seeds: the seeds.
        metrics: the mean of each loss and metric over the finished runs, with its 95 % interval, by split.
        unfinished: the seeds whose runs are not finished.
        failures: what went wrong, by seed.
        folder: the folder with a run folder for each seed, or None if nothing was kept.
        stopped: why training was stopped before its end, to be resumed; empty if it was not.
    """

    seeds: tuple[int, ...]
    metrics: Summary
    unfinished: tuple[int, ...] = ()
    failures: dict[int, str] = field(default_factory=dict)
    folder: Path | None = None
    stopped: str = ""
    _load: Callable[[], dict[int, Run]] = field(kw_only=True, repr=False, compare=False)

    @cached_property
    def runs(self) -> dict[int, Run]:
        """The finished runs, by seed."""
        return self._load()

    def __repr__(self) -> str:
        results = [f"{split} {plus_minus_all(found)}" for split, found in self.metrics.items()]
        return f"<SeedRuns of {counted(len(self.seeds), 'seed')}: {'; '.join([*results, *self._circumstances()])}>"

    def _repr_html_(self) -> str:
        """Return the results as a table for a notebook."""
        return seeds_html(self.metrics, self._circumstances())

    def _circumstances(self) -> list[str]:
        """Return which failed, why training was stopped, and where the runs are kept."""
        failed = [f"failed: {listed_runs(self.failures)}"] if self.failures else []
        stopped = [f"stopped: {self.stopped}"] if self.stopped else []
        return [*failed, *stopped, *([f"saved in {self.folder}"] if self.folder else [])]


def run_seeds(
    spec: Spec,
    directory: str | Path | None = None,
    *,
    workers: int | None = None,
    observer: Listener,
    stop: StopRequest | None = None,
) -> SeedRuns:
    """Train a spec with each of its seeds, each run to the same bits as on its own.

    A run that fails doesn't affect other runs.
    """
    require_spec(spec, "run")
    require_processes("training with several seeds")
    session = GroupSession(spec.registry.arguments(), observer, stop or StopRequest(), workers)

    def train(place: Path) -> SeedRuns:
        group = SeedsGroup(spec).prove()
        group.warn(observer)
        threads = group.create(place, share_of_cores(workers, len(spec.seeds)))
        with group.folder as folder:
            return _trained(folder, threads, session)

    return train_in(directory, train, "seeds", lambda found: found.runs, STOPPED_WITHOUT_FOLDER)


def resume_seeds(
    directory: RunArgument,
    *,
    plugins: Iterable[str | Path | ModuleType] = (),
    blocked: Iterable[str] = (),
    workers: int | None = None,
    observer: Listener | None = None,
    stop: StopRequest | None = None,
) -> SeedRuns:
    """Resume the runs of several seeds that are not finished, to the same bits as without the break.

    Args:
        directory: the folder that ``run`` with several seeds made, or what it returned.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.
        workers: how many train at once; by default as many as the cores allow.
        observer: receives the events; by default Python warns of runs that fail.
        stop: may ask that training end after the steps that it is in.

    Raises:
        RunFolderError: the folder is not that of several runs, or has another writer.
        UsageError: another process can't load a plugin, no folder keeps the runs, or no process can be started.
        StorageError: the folder can't be written.
        KeyboardInterrupt: Ctrl-C stopped the training; ``run`` of the exception has what was finished.
    """
    require_processes("training with several seeds")
    plugin_options = Registry.discover(plugins=plugins, blocked=blocked).arguments()
    with SeedsFolder.open(directory_of(directory)) as folder:
        folder.run.claim()
        for seed in folder.unfinished:
            if kind_of(folder.members[seed]) is None:
                way = f"mlpkit run SPEC --set seed={seed} --out {quote(str(folder.members[seed]))}"
                problem = f"has no run of seed {seed}; train it again, then resume the rest: {way}"
                raise RunFolderError(f"{folder.directory}: {problem}")
        threads = _threads_of(folder) if folder.unfinished else 1
        observer = observer or python_warnings("seed")
        return _trained(folder, threads, GroupSession(plugin_options, observer, stop or StopRequest(), workers))


def evaluate_seeds(
    directory: Path,
    splits: Sequence[str] = (),
    file: Path | None = None,
    registry: Registry | None = None,
    by: Sequence[str] = (),
) -> dict[int, Evaluation]:
    """Return loss and metrics of each finished run of several seeds, by seed; see ``evaluate``, ``evaluate_file``."""
    folder = SeedsFolder.open(directory)
    finished = {seed: folder.members[seed] for seed in folder.results()}
    if not finished:
        remedy = f"resume it with: mlpkit resume {quote(str(directory))}"
        raise RunFolderError(f"{directory}: none of its runs is finished; {remedy}")
    if file is not None:
        return {seed: evaluate_file(member, file, registry, by) for seed, member in finished.items()}
    return {seed: evaluate(member, splits, registry, by) for seed, member in finished.items()}


class SeedsGroup(Group):
    """The runs of a spec with each of its seeds.

    What is left to the data is filled in for each seed: it may depend on how the seed splits the data.
    """

    what = "seed"
    folder: SeedsFolder

    def keep_in(self, run: RunFolder) -> Self:
        """Keep a run folder for each seed in a folder."""
        self.folder = SeedsFolder(run, self.numbers)
        return self

    def _prepare(self, proved: Sequence[SpecProof], cores: int | None) -> int:
        plans = [prepare(each, self.folder.members[each.spec.seed], cores=cores) for each in proved]
        self.folder.write_seeds()
        return max(plan.threads for plan in plans)

    def sum_up(self) -> Summary:
        """Write metrics.json, and return the means with their intervals."""
        self.folder.write_summary()
        return self.folder.summary()


def _threads_of(folder: SeedsFolder) -> int:
    """Return the threads of a run, from the first that is not finished."""
    run = RunFolder.open(folder.members[folder.unfinished[0]])
    resolved = parse_document(run.resolved_text(), str(run.directory / RESOLVED)).values
    return int(resolved["training"]["threads"])


def _trained(folder: SeedsFolder, threads: int, session: GroupSession) -> SeedRuns:
    """Train what is not finished, and sum up."""
    failures, interrupted = train_unfinished(folder, threads, session)
    stopped, runs = session.stop.reason, partial(finished_runs, folder, session.plugin_options)
    if not stopped:
        _warn_of_other_inputs(folder, session.observer)
        folder.write_summary()
    unfinished = tuple(folder.unfinished)
    found = SeedRuns(folder.seeds, folder.summary(), unfinished, failures, folder.directory, stopped, _load=runs)
    if interrupted:
        raise interrupt_with(f'stopped; resume it with: mlpkit.resume_seeds("{folder.directory}")', found)
    return found


def _warn_of_other_inputs(folder: SeedsFolder, observer: Listener) -> None:
    """Warn of finished runs with other data, plugins or versions than the first: their mean would mix the two."""
    locks = [(seed, RunFolder(folder.members[seed]).read_lock()) for seed in folder.results()]
    for seed, lock in locks[1:]:
        first, then = locks[0]
        found = [change for change in lock_changes(then, lock) if change.key != SPEC_HASH]
        if found:
            different = "; ".join(f"{change.key}: {change.then} there, {change.now} here" for change in found)
            observer(Event(seed, "noticed", (f"was not trained like seed {first}: {different}",)))
