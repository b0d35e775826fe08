"""The training of one trial, by whatever process: all that it needs is in the folder of the sweep."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mlpkit.errors import MlpkitError, RunFolderError
from mlpkit.jobs.build import prove
from mlpkit.jobs.callback_files import expect_own_files
from mlpkit.jobs.prepared_run import train_prepared
from mlpkit.jobs.spec_data import OpenedData, describe_data, open_data
from mlpkit.jobs.sweep.pruning import RULES, Curve, Evaluation
from mlpkit.jobs.sweep.trial_spec import trial_spec
from mlpkit.jobs.training_process import TrainingEnd, described
from mlpkit.runs.files import folders_in
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import FAILURE, RESOLVED, SWEEP, WRITER
from mlpkit.runs.overview import FAILED, PRUNED
from mlpkit.runs.sweep_folder import is_trial, number_of, read_trial
from mlpkit.runs.writer_lock import WriterLock
from mlpkit.specfile.spec import read_spec
from mlpkit.training.events import Observer, ObserverGroup, StopRequest
from mlpkit.training.workers import choose_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.specfile.spec import Spec
    from mlpkit.specfile.sweep_section import SweepSection
    from mlpkit.training.evaluation import Record

LONGEST_WAIT: Final = 60.0
"""Seconds in which a process of a driver that was killed saves the trial that it trains."""

BETWEEN_LOOKS: Final = 0.05


def train_trial(
    directory: Path | str,
    *,
    threads: int = 1,
    plugins: Sequence[str] = (),
    blocked: Sequence[str] = (),
    observer: Observer | None = None,
    stop: StopRequest | None = None,
) -> TrainingEnd:
    """Train a trial to its end, or until it is pruned, from where it is; what goes wrong is written into its folder.

    Args:
        directory: its run folder, in the folder of the sweep.
        threads: how many BLAS threads it may take, unless the spec says it.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to do without.
        observer: receives the events.
        stop: may ask the training to end after the step that it is in.
    """
    folder, stop = Path(directory), stop or StopRequest()
    try:
        _wait_for_writer(folder, stop)
        spec = _sweep_spec(Path.cwd(), folder.parent / SWEEP, tuple(plugins), tuple(blocked))
        found = trial_spec(spec, read_trial(folder).values)
        opened = _opened(_Data(repr((Path.cwd(), found.data.reference(), found.data_seed, found.dtype)), found))
        if not (folder / RESOLVED).exists():
            _prepare(found, opened, folder, threads)
        assert spec.sweep is not None
        judge = _Judge(folder, spec.sweep, stop)
        observers = ObserverGroup([each for each in (observer, judge) if each is not None])
        components: Any = {"plugins": plugins, "blocked": blocked}
        run = train_prepared(folder, **components, observer=observers, stop=judge.stop, opened=opened)
    except Exception as error:
        if not isinstance(error, RunFolderError):
            _remember(folder, FAILED, 0, described(error))
        if not isinstance(error, MlpkitError):
            raise
        return TrainingEnd(failure=described(error))
    if run.stopped and judge.weak:
        _remember(folder, PRUNED, run.steps, judge.weak)
    return TrainingEnd(run.steps, run.stopped, metrics=run.metrics)


@lru_cache(maxsize=1)
def _sweep_spec(here: Path, path: Path, plugins: tuple[str, ...], blocked: tuple[str, ...]) -> Spec:
    """Return the spec of a sweep, which never changes; a process trains many of its trials.

    Args:
        here: the folder that the paths start from.
        path: the file.
        plugins: as for ``train_trial``.
        blocked: as for ``train_trial``.
    """
    return read_spec(path, plugins=plugins, blocked=blocked)


@dataclass(frozen=True)
class _Data:
    """The data of a spec, equal to that of any other with the same key.

    Args:
        key: what the data depends on.
        spec: the spec.
    """

    key: str
    spec: Spec = field(compare=False)


@lru_cache(maxsize=1)
def _opened(data: _Data) -> OpenedData:
    """Return the data of a trial, opened: most trials of a sweep have the same."""
    dataset = data.spec.new_dataset()
    describe_data(data.spec, dataset)
    return OpenedData(dataset, open_data(data.spec, dataset))


def _prepare(found: Spec, opened: OpenedData, directory: Path, threads: int) -> None:
    """Write the specs of a trial that is yet to begin."""
    expect_own_files(found)
    proved = prove(found, opened.dataset)
    training = proved.spec.training
    work = proved.proof.flops * training.batch_size
    plan = choose_plan(work, slices=training.slices, threads=training.threads)
    chosen = plan.threads if training.threads is not None else min(threads, plan.threads)
    with RunFolder(directory) as folder:
        folder.write_spec(found.document.text)
        folder.write_resolved(proved.spec.resolved_text(slices=plan.slices, threads=chosen))


def _wait_for_writer(directory: Path, stop: StopRequest) -> None:
    """Wait until a process has ended that trains the trial still, for a driver that is no more."""
    lock, began = WriterLock(directory / WRITER), time.monotonic()
    while lock.another_writer() and time.monotonic() - began < LONGEST_WAIT and not stop.reason:
        time.sleep(BETWEEN_LOOKS)


def _remember(directory: Path, state: str, steps: int, message: str) -> None:
    """Write why a trial ended before its end, unless that is written already."""
    with RunFolder(directory) as folder:
        if not (directory / FAILURE).exists():
            folder.write_failure(state, steps, message)


class _EitherStop(StopRequest):
    """A request that one trial stop, or all do.

    Args:
        of_all: asks that all stop.
    """

    def __init__(self, of_all: StopRequest) -> None:
        self._of_all = of_all
        self._own = ""

    @property
    def reason(self) -> str:
        """Why training is to end; empty if it goes on."""
        return self._own or self._of_all.reason

    @reason.setter
    def reason(self, reason: str) -> None:
        self._own = reason


class _Judge(Observer):
    """Ends a trial after an evaluation if it is weaker than the others, whose evaluations it reads from their folders.

    Args:
        directory: the trial's run folder.
        sweep: how weak trials are found.
        stop: may ask that all trials stop.

    Attributes:
        stop: asks that the trial stop.
        weak: why it ends early; empty if it doesn't.
    """

    def __init__(self, directory: Path, sweep: SweepSection, stop: StopRequest) -> None:
        self.stop = _EitherStop(stop)
        self.weak = ""
        self._directory, self._objective = directory, sweep.objectives[0]
        self._rule = RULES[sweep.prune] if sweep.prune else None
        self._name = sweep.prune
        self._total_steps = 0
        self._ended: dict[Path, Curve] = {}

    def started(self, total_steps: int | None) -> None:
        """Remember how long the training is to be."""
        self._total_steps = total_steps or 0

    def evaluated(self, record: Record, seconds: float) -> None:
        """Compare the trial with the others, unless it is at its end."""
        step = record["iteration"]
        if self._rule is None or step >= self._total_steps:
            return
        trial = self._curve(self._directory)
        if trial.evaluations and self._rule(trial, self._others(), self._total_steps * record["epoch"] / step):
            self.weak = f"pruned ({self._name}) after step {int(step):,}"
            self.stop.stop(PRUNED)

    def _others(self) -> list[Curve]:
        return [self._curve(other) for other in _trials_in(self._directory.parent) if other != self._directory]

    def _curve(self, directory: Path) -> Curve:
        if directory in self._ended:
            return self._ended[directory]
        folder, key = RunFolder(directory), self._objective.key
        finished = folder.finished
        history = [record for record in folder.read_history() if key in record]
        evaluations = [Evaluation(record["epoch"], self._objective.cost(record[key])) for record in history]
        curve = Curve(number_of(directory), evaluations, finished)
        if finished:
            self._ended[directory] = curve
        return curve


def _trials_in(directory: Path) -> list[Path]:
    return [folder for folder in folders_in(directory) if is_trial(folder)]
