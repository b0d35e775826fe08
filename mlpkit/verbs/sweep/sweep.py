"""Doing or resuming a sweep: what the command line and Python call."""

from __future__ import annotations

import math
import shlex
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from mlpkit.components.engine import LOCAL, Engine, Workers
from mlpkit.components.schema.wording import counted
from mlpkit.errors import RunFolderError, StorageError, UsageError
from mlpkit.groups.engine_workers import WorkersOfEngine
from mlpkit.groups.local_workers import LocalWorkers
from mlpkit.jobs.prove import prove
from mlpkit.network.component_errors import component_errors
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import ENSEMBLE_RUN, RunArgument, directory_of, kind_of, members_of
from mlpkit.runs.layout import BEST, OUT_OF_FOLD, has_file
from mlpkit.runs.overview import FINISHED, RUNNING, STOPPED
from mlpkit.runs.writer_lock import Writer, writer_of
from mlpkit.specfile.spec import Spec, require_spec
from mlpkit.statistics import difference
from mlpkit.system import require_processes
from mlpkit.terminal.figures import figure, probability, signed
from mlpkit.training.events import CtrlC, Event, Listener, Observer, StopRequest, interrupt_with
from mlpkit.verbs.sweep.driver import SECONDS_BETWEEN_LOOKS, Driver, best_of, pareto_front, planned_in_all, ranked
from mlpkit.verbs.sweep.folder import SweepFolder, Trial, require_sweep_folder
from mlpkit.verbs.sweep.pruning import no_longer_weak
from mlpkit.verbs.sweep.samplers import make_sampler
from mlpkit.verbs.sweep.section import Objective, SweepSection, count_combinations
from mlpkit.verbs.sweep.specs import (
    prove_sweep,
    require_unchanged,
    spec_of_sweep,
    text_for_folder,
    trial_spec,
    written_values,
)

LEVEL: Final = 0.95

ROUNDING: Final = 1e-12
"""Relative difference of two means that are equal but for the rounding of their sums."""


@dataclass(frozen=True)
class Margin:
    """How far the best trial is ahead of the next one with other values.

    The best of many is often a lucky one. Yet against the next one, the p-value needs no correction for their number:
    the two-sided test of the first against the second is a test of whether the first is truly the best of all, if the
    results of all trials are normal with equal variance.

    Args:
        trial: the number of the best trial.
        over: the number of the other one.
        by: how much better the result of the best is; at least 0.
        paired_by: what the two are compared by, ``seed`` or ``fold``; empty if each has a single result.
        low: lower end of the 95 % interval of how much better the best is; None without a comparison.
        high: its upper end.
        p_value: how likely chance alone makes the best lead by so much.

    Source: Hung and Fithian, Rank verification for exponential families, Annals of Statistics 47 (2019).
    """

    trial: int
    over: int
    by: float
    paired_by: str = ""
    low: float | None = None
    high: float | None = None
    p_value: float | None = None

    @property
    def beyond_chance(self) -> bool | None:
        """Whether the lead is more than chance; None if that is unknown."""
        return None if self.p_value is None else self.p_value < 1 - LEVEL

    def __str__(self) -> str:
        if not self.by:
            return f"trial {self.trial} and trial {self.over} are equally good"
        lead = f"trial {self.trial} leads trial {self.over} by {figure(self.by)}"
        if self.p_value is None or self.low is None or self.high is None:
            return f"{lead}, which may be chance; a sweep with seeds or folds can tell"
        verdict = "more than chance" if self.beyond_chance else "which may be chance"
        low, high = (signed(end, self.high - self.low) for end in (self.low, self.high))
        test = f"{self.paired_by} by {self.paired_by}, paired t-test, 95 %: {low} to {high}"
        return f"{lead}, {verdict}, p {probability(self.p_value)} ({test})"

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "beyond_chance": self.beyond_chance}


def lead_of(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Margin | None:
    """Return how far the best trial by the first objective is ahead; None if none with other values is finished."""
    objective, in_order = objectives[0], ranked(trials, objectives)
    second = next((trial for trial in in_order if trial.values != in_order[0].values), None)
    if second is None:
        return None
    best = in_order[0]
    results = [objective.cost(trial.results[objective.key]) for trial in (second, best)]
    by = 0.0 if math.isclose(*results, rel_tol=ROUNDING) else results[0] - results[1]
    of_best, of_second = (_costs(trial, objective) for trial in (best, second))
    shared = [number for number in of_best if number in of_second]
    if len(shared) < 2:
        return Margin(best.number, second.number, by)
    folds = kind_of(best.directory) is ENSEMBLE_RUN
    pairs = [[costs[number] for number in shared] for costs in (of_second, of_best)]
    found = difference(*pairs, paired=True, folds=folds, level=LEVEL)
    return Margin(best.number, second.number, by, "fold" if folds else "seed", found.low, found.high, found.p_value)


def _costs(trial: Trial, objective: Objective) -> dict[int, float]:
    """Return the objective of each seed or fold of a trial, so that lower is better.

    An ensemble of members has a single result, that of the average, and so nothing to compare pair by pair.
    """
    out_of_fold = objective.split == "validation" and has_file(trial.directory, OUT_OF_FOLD)
    if kind_of(trial.directory) is ENSEMBLE_RUN and not out_of_fold:
        return {}
    metrics = {number: RunFolder(run).read_metrics() for number, run in members_of(trial.directory).items()}
    values = {number: each.get(objective.split, {}).get(objective.name) for number, each in metrics.items()}
    return {number: objective.cost(float(value)) for number, value in values.items() if value is not None}


@dataclass(repr=False)
class Sweep:
    """The result of a sweep.

    Args:
        folder: its folder.
        objectives: what trials are chosen by.
        trials: all trials, in the order of their numbers.
        best: the best finished trial by the first objective; None if none is finished.
        front: the Pareto front: no finished trial is as good as one of them by all objectives, and better by one.
        stopped: why it was stopped before its end, to be resumed; empty if it was not.
        lead: how far the best is ahead of the next trial with other values; None without one.
    """

    folder: Path
    objectives: Sequence[Objective]
    trials: list[Trial]
    best: Trial | None = None
    front: list[Trial] = field(default_factory=list)
    stopped: str = ""
    lead: Margin | None = None

    def __repr__(self) -> str:
        counts = ", ".join(f"{number} {state}" for state, number in self.counts.items())
        best = f"; best: {self.described(self.best)}" if self.best else ""
        lead = f"; {self.lead}" if self.lead else ""
        return f"<Sweep of {len(self.trials)} trials ({counts}){best}{lead}; saved in {self.folder}>"

    @property
    def counts(self) -> dict[str, int]:
        """How many trials are in each state."""
        return dict(Counter(trial.state for trial in self.trials))

    def described(self, trial: Trial) -> str:
        """Return the result of a trial, and its values."""
        results = written_results(trial, self.objectives)
        return f"trial {trial.number}, {results}; {written_values(trial.values)}"

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "folder": str(self.folder),
            "objectives": [{"key": each.key, "maximize": each.maximize} for each in self.objectives],
            "best": self.best.number if self.best else None,
            "front": [trial.number for trial in self.front],
            "lead": self.lead.to_plain() if self.lead else None,
            "trials": [plain_trial(trial) for trial in self.trials],
        }


def written_results(trial: Trial, objectives: Iterable[Objective]) -> str:
    """Write what a trial is chosen by; a value that was not finite is not there."""
    results = trial.results
    return ", ".join(f"{e.key} {figure(results[e.key])}" if e.key in results else f"no {e.key}" for e in objectives)


def plain_trial(trial: Trial) -> dict[str, Any]:
    """Return a trial as plain data."""
    problem = {"problem": trial.problem} if trial.problem else {}
    known = {"trial": trial.number, "state": trial.state, "values": trial.values, "results": trial.results}
    return {**known, **problem, "folder": str(trial.directory)}


def sweep(
    spec: Spec,
    directory: str | Path,
    *,
    workers: int | None = None,
    on: str = LOCAL,
    observer: Listener | None = None,
    stop: StopRequest | None = None,
    **options: Any,
) -> Sweep:
    """Train the trials of a spec's sweep, as many at once as there are workers.

    Args:
        spec: the spec; its section ``sweep`` has the keys to vary.
        directory: where to keep the trials; missing or empty.
        workers: how many trials train at once, each with its share of the cores; by default one per core, or one for
            each worker of a cluster or rank but the first.
        on: what trains them: ``local`` for processes on this machine, or an engine, such as ``dask``, or ``acme.queue``
            of a plugin.
        observer: receives the events.
        stop: may ask that training end after the steps that it is in; the trials then keep checkpoints.
        options: parameters of the engine, such as ``scheduler`` of ``dask``.

    Raises:
        UsageError: it isn't a spec, it has no sweep, a library is missing, no process can be started, or the
            cluster can't be used.
        ParameterError: the engine has no such option.
        SpecError: the sweep is wrong, or doesn't fit the spec or its data.
        DataError: a data file is not what it should be.
        RunFolderError: the directory is in use.
        StorageError: the folder can't be written.
        WorkersLostError: the cluster can't be reached any more.
        KeyboardInterrupt: Ctrl-C, SIGTERM or ``stop_sweep`` stopped the sweep; ``run`` of the exception has what was
            finished.
    """
    require_spec(spec, "sweep")
    if not isinstance(spec.sweep, SweepSection):
        raise UsageError(f"{spec.document.path}: has no section sweep, which sets what to vary; see mlpkit docs sweeps")
    make_sampler(spec.sweep, spec.seed)  # a missing library is named before anything is written
    folder, plugin_options = Path(directory), spec.registry.arguments()
    proved = prove(spec)
    text = text_for_folder(spec, folder, prove_sweep(spec, proved))
    observer = observer or Observer()
    for warning in proved.warnings:
        observer(Event(0, "noticed", ("; ".join(filter(None, (warning.message, warning.remedy))),)))
    with _started(spec.registry, on, workers, options) as started, SweepFolder.create(folder, text) as kept:
        return _swept(kept, plugin_options, started, 0, observer, stop)


def resume_sweep(
    directory: RunArgument,
    *,
    add_trials: int = 0,
    workers: int | None = None,
    on: str = LOCAL,
    plugins: Iterable[str | Path | ModuleType] = (),
    blocked: Iterable[str] = (),
    observer: Listener | None = None,
    stop: StopRequest | None = None,
    **options: Any,
) -> Sweep:
    """Resume a sweep: interrupted trials from their last checkpoints, to the same bits as without the break.

    Args:
        directory: the folder that ``sweep`` made, or what it returned.
        add_trials: extra trials to run.
        workers: as for ``sweep``.
        on: as for ``sweep``; the engine may differ from the earlier one.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to leave out.
        observer: receives the events.
        stop: may ask that training end after the steps that it is in.
        options: as for ``sweep``.

    Raises:
        RunFolderError: the folder is not that of a sweep, its spec has changed since, or it has another writer.
        MlpkitError: as ``sweep`` does.
    """
    registry = Registry.discover(plugins=plugins, blocked=blocked)
    if add_trials < 0:
        raise UsageError(f"{add_trials} trials can't be added; expected a number, at least 0")
    require_sweep_folder(directory := directory_of(directory))
    with _started(registry, on, workers, options) as started, SweepFolder.open(directory) as folder:
        return _swept(folder, registry.arguments(), started, add_trials, observer, stop)


def _swept(
    folder: SweepFolder,
    plugin_options: PluginOptions,
    workers: Workers,
    added: int,
    observer: Listener | None,
    stop: StopRequest | None,
) -> Sweep:
    """Train what is left to train, write the best spec, and sum up."""
    spec = spec_of_sweep(folder, **plugin_options)
    assert isinstance(spec.sweep, SweepSection)
    require_unchanged(folder, spec)
    if added:
        _add_trials(folder, spec.sweep, added)
    sampler, request = make_sampler(spec.sweep, spec.seed), stop or StopRequest()
    driver = Driver(
        folder,
        spec.sweep.objectives,
        sampler,
        planned_trials(spec.sweep),
        spec.sweep.seconds,
        workers,
        strong_again=partial(no_longer_weak, sweep=spec.sweep),
        arguments={**plugin_options, "threads": workers.threads, "timeout": spec.sweep.timeout},
        observer=observer or Observer(),
        stop=request,
    )
    with CtrlC(request, (signal.SIGINT, signal.SIGTERM)) as ctrl_c:
        try:
            driver.run()
        except StorageError as error:
            again = shlex.join(["mlpkit", "sweep", "--resume", str(folder.directory)])
            error.add_note(f"help: then resume it with: {again}")
            raise
    found = sum_up(folder, spec, request.reason)
    if found.best is not None:
        write_atomically(folder.directory / BEST, _best_text(spec, found, folder.directory).encode())
    if ctrl_c.received or (stop is None and request.reason):
        raise interrupt_with(f'stopped; resume it with: mlpkit.resume_sweep("{folder.directory}")', found)
    return found


def planned_trials(sweep: SweepSection) -> int | None:
    """Return how many trials a spec asks for; None if only a time ends the sweep."""
    if sweep.sampler != "grid":
        return sweep.trials
    size = count_combinations(sweep.search)
    return min(size, sweep.trials or size)


def _add_trials(folder: SweepFolder, sweep: SweepSection, added: int) -> None:
    """Write into the folder of a sweep that it is to have more trials, or raise ``UsageError``."""
    progress = folder.read_progress()
    planned = progress.trials
    if sweep.sampler == "grid":
        size, begun = count_combinations(sweep.search), len(folder.trials())
        of_spec = sweep.trials or (begun if sweep.seconds else size)
        more = max(0, size - (of_spec + progress.added if planned is None else planned))
        if added > more:
            taken = f"of the {size:,} combinations of the grid, {size - more:,} are planned already"
            raise UsageError(f"{added} more can't be trained: {taken}")
    if planned is None:
        folder.write_progress(replace(progress, added=progress.added + added))
    else:
        folder.write_progress(replace(progress, trials=planned + added))


def sum_up(folder: SweepFolder, spec: Spec, stopped: str = "") -> Sweep:
    """Return the result of a sweep from its folder, and why it was stopped."""
    assert isinstance(spec.sweep, SweepSection)
    objectives = spec.sweep.objectives
    trials = folder.trials()
    best, front, lead = best_of(trials, objectives), pareto_front(trials, objectives), lead_of(trials, objectives)
    return Sweep(folder.directory, objectives, trials, best, front, stopped, lead)


def _best_text(spec: Spec, found: Sweep, folder: Path) -> str:
    """Return the spec of the best trial, ready to run."""
    assert found.best is not None
    finished = counted(found.counts[FINISHED], "finished trial")
    heading = f"# The best of {finished}: {found.described(found.best)}\n"
    heading += f"# In the sweep, {found.lead}.\n" if found.lead else ""
    return heading + text_for_folder(trial_spec(spec, found.best.values), folder)


@dataclass(repr=False)
class SweepStatus(Sweep):
    """What a sweep has come to so far; a trial that trains now is ``running``.

    Args:
        planned: how many trials are planned; None if a time ends the sweep, and isn't over.
        seconds: how long the sweep has been at work, without breaks.
        driver: the process that is at work on it, with ``pid`` and ``host``; None without any.
    """

    planned: int | None = None
    seconds: float = 0.0
    driver: Writer | None = None

    @property
    def over(self) -> int:
        """How many trials are over."""
        return sum(trial.state not in (RUNNING, STOPPED) for trial in self.trials)

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "folder": str(self.folder),
            "driver": self.driver._asdict() if self.driver else None,
            "planned": self.planned,
            "counts": self.counts,
            "best": plain_trial(self.best) if self.best else None,
            "seconds": self.seconds,
        }


def sweep_status(
    directory: RunArgument, *, plugins: Iterable[str | Path | ModuleType] = (), blocked: Iterable[str] = ()
) -> SweepStatus:
    """Return what a sweep has come to so far, be it at work or not, and leave it alone.

    Args:
        directory: the folder that ``sweep`` made, or what it returned.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to leave out.

    Raises:
        RunFolderError: the folder is not that of a sweep, or a file of it can't be read.
        SpecError: a plugin that the spec needs is missing.
    """
    directory = directory_of(directory)
    require_sweep_folder(directory)
    folder = SweepFolder(directory)
    spec = spec_of_sweep(folder, plugins=plugins, blocked=blocked)
    assert isinstance(spec.sweep, SweepSection)
    driver, progress, found = writer_of(directory), folder.read_progress(), sum_up(folder, spec)
    found.trials = [
        replace(trial, state=RUNNING) if trial.state == STOPPED and writer_of(trial.directory) else trial
        for trial in found.trials
    ]
    planned, limit = planned_in_all(planned_trials(spec.sweep), progress, len(found.trials)), spec.sweep.seconds
    if limit is not None and progress.trials is None and progress.seconds >= limit and not progress.added:
        planned = len(found.trials)  # the time is over, and so none is begun any more
    return SweepStatus(**vars(found), planned=planned, seconds=progress.seconds, driver=driver)


def stop_sweep(directory: RunArgument) -> bool:
    """Ask the driver of a sweep to stop after the steps that its trials are in, and wait until it has.

    It is asked by a file in the folder, on whatever machine it is, and asking again changes nothing.

    Args:
        directory: the folder that ``sweep`` made, or what it returned.

    Returns:
        Whether a driver was at work.

    Raises:
        RunFolderError: the folder is not that of a sweep, or one may not write there.
        UsageError: this process is the driver.
    """
    directory = directory_of(directory)
    require_sweep_folder(directory)
    folder, driver = SweepFolder(directory), writer_of(directory)
    if driver is None:
        return False
    if driver.is_this_process:
        raise UsageError(f"{directory}: this process is at work on it; end the sweep with its StopRequest, or Ctrl-C")
    while writer_of(directory) is not None:
        try:
            folder.ask_to_stop()  # again, if it has just begun, and has forgotten what an earlier one was asked for
        except StorageError as error:
            raise RunFolderError(
                f"{directory}: can't ask {driver} to stop; press Ctrl-C where it runs: {error}"
            ) from error
        time.sleep(SECONDS_BETWEEN_LOOKS)
    folder.forget_stop()
    return True


@contextmanager
def _started(registry: Registry, name: str, most: int | None, options: Mapping[str, Any]) -> Iterator[Workers]:
    """Return the workers of an engine, and end them at the end of the block; or raise ``UsageError``."""
    require_processes("a sweep")
    if most is not None and most < 1:
        raise UsageError(f"{most} workers can't train anything; expected at least 1")
    given = {option: value for option, value in options.items() if value not in (None, "", {})}
    if name == LOCAL:
        if given:
            raise UsageError(f"the engine {LOCAL} takes no '{next(iter(given))}'")
        workers: Workers = LocalWorkers(most)
    else:
        with component_errors(f"engine {name} failed in start"):
            started = registry.create(Engine.kind, {name: given}).start(most)
        workers = WorkersOfEngine(name, started)
    try:
        yield workers
    finally:
        workers.shutdown()
