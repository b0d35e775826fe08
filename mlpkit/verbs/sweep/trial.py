"""The training of one trial, by whatever process: all that it needs is in the folder of the sweep."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final, Unpack

from mlpkit.components.dataset import Dataset, Split
from mlpkit.errors import DivergenceError, MlpkitError, RunFolderError, StorageError
from mlpkit.groups.local_workers import described
from mlpkit.groups.several_runs import Group
from mlpkit.groups.several_specs import group_of
from mlpkit.jobs.open_training import open_training
from mlpkit.jobs.prove import prove
from mlpkit.jobs.resume_network import Session, train_claimed
from mlpkit.jobs.spec_data import OpenedData, describe_data, open_for_members
from mlpkit.jobs.train import Run, TrainingJob, write_beginning
from mlpkit.registry.discovery import PluginOptions
from mlpkit.runs.files import remove_leftovers
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import members_of
from mlpkit.runs.layout import RESOLVED, SWEEP
from mlpkit.runs.overview import DIVERGED, FAILED, PRUNED, overview_of
from mlpkit.specfile.spec import Spec, read_spec
from mlpkit.training.events import Event, Observer, ObserverGroup, StopRequest, TrainingEnd
from mlpkit.verbs.sweep.folder import is_resumable, read_trial, trials_in
from mlpkit.verbs.sweep.pruning import RULES, curve_of
from mlpkit.verbs.sweep.section import SweepSection
from mlpkit.verbs.sweep.specs import data_key, trial_spec

LONGEST_WAIT: Final = 60.0
"""Seconds in which a process of a driver that was killed saves the trial that it trains."""

BETWEEN_LOOKS: Final = 0.05

OTHER_WRITER: Final = "another writer"
"""Why a trial isn't trained that another process trains."""


def train_trial(
    directory: Path | str,
    *,
    threads: int = 1,
    observer: Observer | None = None,
    stop: StopRequest | None = None,
    **plugin_options: Unpack[PluginOptions],
) -> TrainingEnd:
    """Train a trial to its end, or until it is pruned, from where it is; what goes wrong is written into its folder."""
    stop = stop or StopRequest()
    with RunFolder(Path(directory)) as folder:
        writer = _claim(folder, stop)
        if writer:
            ended = TrainingEnd(stopped=stop.reason)
            return ended if stop.reason else TrainingEnd(failure=writer, cause=OTHER_WRITER)
        try:
            trial = read_trial(folder.directory)
            if not is_resumable(trial):  # that process has trained it to its end
                return TrainingEnd()
            folder.forget_failure()  # of an earlier try
            spec = _sweep_spec(
                Path.cwd(),
                folder.directory.parent / SWEEP,
                plugins=tuple(plugin_options.get("plugins", ())),
                blocked=tuple(plugin_options.get("blocked", ())),
            )
            assert isinstance(spec.sweep, SweepSection)
            own = trial_spec(spec, trial.values)
            judge = _Judge(folder.directory, spec.sweep, stop, several=len(own.seeds) > 1 or own.trains_ensemble)
            end = _trained(own, folder, threads, observer or Observer(), judge)
        except Exception as error:
            _record_failure(folder, DIVERGED if isinstance(error, DivergenceError) else FAILED, 0, described(error))
            if not isinstance(error, MlpkitError):
                raise
            return TrainingEnd(failure=described(error))
        if end.stopped and judge.weak:
            _record_failure(folder, PRUNED, judge.steps, judge.weak)
    return end


def _claim(folder: RunFolder, stop: StopRequest) -> str:
    """Become a trial's writer, after the process of a killed driver, or return what is in the way after some time."""
    began = time.monotonic()
    while True:
        try:
            folder.claim()
        except RunFolderError as error:
            if stop.reason or time.monotonic() - began >= LONGEST_WAIT:
                return str(error)
            time.sleep(BETWEEN_LOOKS)
        else:
            return ""


def _trained(spec: Spec, folder: RunFolder, threads: int, observer: Observer, judge: _Judge) -> TrainingEnd:
    """Train a trial from where it is, by its own spec; of several runs, the first is judged."""
    judged, stop = ObserverGroup([observer, judge]), judge.stop

    def train(spec: Spec, run: RunFolder, observer: Observer) -> Run:
        session = Session(spec.registry, observer, stop, opened=_opened(spec), cores=threads)
        return train_claimed(run, session, again=True)

    if judge.finds_first_run_weak():  # its last process was killed before it could judge that
        return TrainingEnd(stopped=stop.reason)
    if group := group_of(spec):
        _prepare(group.keep_in(folder), threads)
        first = group.numbers[0]
        return _train_in_turn(group, lambda n, run: train(group.spec_of(n), run, judged if n == first else observer))
    if (folder.directory / RESOLVED).exists():
        run = train(spec, folder, judged)
    else:
        run = _begin(spec.with_seed(spec.seeds[0]), folder, threads, judged, stop)
    return TrainingEnd(run.steps, run.stopped, metrics=run.metrics)


def _prepare(group: Group, cores: int) -> None:
    """Prepare the runs of a trial of several, unless they are; runs that a killed process began are made again."""
    if group.folder.is_prepared:
        return
    group.prove()
    for directory in group.folder.members.values():
        remove_leftovers(directory)
        RunFolder(directory).discard_if_unused()
    group.prepare(cores)


def _train_in_turn(group: Group, train: Callable[[int, RunFolder], Run]) -> TrainingEnd:
    """Train the runs that are not finished, and sum up; the first that is stopped, diverges or fails ends the trial."""
    steps = 0
    for number in group.folder.unfinished:
        with RunFolder(group.folder.members[number]) as folder:
            folder.claim()
            try:
                run = train(number, folder)
            except MlpkitError as error:
                error.add_note(f"this was {group.what} {number}")
                raise
        steps += run.steps
        if run.stopped:
            return TrainingEnd(steps, run.stopped)
    group.sum_up()
    return TrainingEnd(steps)


@lru_cache(maxsize=1)
def _sweep_spec(here: Path, path: Path, **plugin_options: Unpack[PluginOptions]) -> Spec:
    """Return the spec of a sweep, whose paths start from ``here``; it never changes, and has many trials."""
    return read_spec(path, **plugin_options)


_last_data: dict[str, tuple[Dataset, Callable[[int | None], Mapping[str, Split]]]] = {}
"""The data set that was opened last, by what it depends on, and what gives each network its splits."""


def _opened(spec: Spec) -> OpenedData:
    """Return the data of a run of a trial, opened; most trials of a sweep have the same."""
    key = f"{Path.cwd()} {data_key(spec)}"
    if key not in _last_data:
        _last_data.clear()
        dataset = spec.new_dataset()
        describe_data(spec, dataset)
        _last_data[key] = dataset, open_for_members(spec, dataset)
    dataset, splits_of = _last_data[key]
    return OpenedData(dataset, splits_of(spec.member))


def _begin(spec: Spec, folder: RunFolder, threads: int, observer: Observer, stop: StopRequest) -> Run:
    """Train a trial from its beginning, as ``mlpkit run`` does with its spec."""
    opened = _opened(spec)
    proved = prove(spec, opened.dataset)
    with open_training(proved, splits=opened.splits, cores=threads) as training:
        write_beginning(folder, training)
        return TrainingJob(training, folder).train(observer, stop)


def _record_failure(folder: RunFolder, state: str, steps: int, message: str) -> None:
    """Write why a trial ended before its end, unless that is written already."""
    with suppress(StorageError):  # the error that led here is the one to report
        if not folder.read_failure():
            folder.write_failure(state, steps, message)


class _EitherStop(StopRequest):
    """A request that one trial stop, or all do."""

    def __init__(self, of_all: StopRequest) -> None:
        self._of_all = of_all
        self._own = ""

    @property
    def reason(self) -> str:
        """Why training must end; empty if it continues."""
        return self._own or self._of_all.reason

    @reason.setter
    def reason(self, reason: str) -> None:
        self._own = reason


class _Judge:
    """A listener that ends a trial after an evaluation if it is weaker than other trials, by their folders."""

    def __init__(self, directory: Path, sweep: SweepSection, stop: StopRequest, *, several: bool) -> None:
        self.stop = _EitherStop(stop)
        self.weak, self.steps = "", 0
        self._directory, self._objective = directory, sweep.objectives[0]
        self._rule = sweep.prune
        self._several = several
        self._total_steps = 0

    def __call__(self, event: Event) -> None:
        match event:
            case Event(_, "started", (total_steps,)):
                self._total_steps = total_steps or 0
            case Event(_, "evaluated", (record, _)) if self._several or record["iteration"] < self._total_steps:
                self._judge(record)

    def finds_first_run_weak(self) -> bool:
        """Whether a trial of several runs is weak that has trained the first one, and hasn't begun the second."""
        if not self._several:
            return False
        first, *others = members_of(self._directory).values()
        history = RunFolder(first).read_history()
        self._total_steps = overview_of(first).total or 0
        is_over = bool(history) and history[-1]["iteration"] >= self._total_steps
        if is_over and all(RunFolder(each).only_prepared for each in others):
            self._judge(history[-1])
        return bool(self.weak)

    def _judge(self, record: Mapping[str, float]) -> None:
        if self._rule is None:
            return
        step = record["iteration"]
        rivals = [folder for folder in trials_in(self._directory.parent) if folder != self._directory]
        trial, *others = (curve_of(folder, self._objective) for folder in [self._directory, *rivals])
        if trial.evaluations and RULES[self._rule](trial, others, self._total_steps * record["epoch"] / step):
            self.steps, self.weak = int(step), f"pruned ({self._rule}) after step {int(step):,}"
            self.stop.stop(PRUNED)
