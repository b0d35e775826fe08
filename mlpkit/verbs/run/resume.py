"""Resuming an interrupted run, or training a finished one for longer: a new run that starts where it ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from types import ModuleType
from typing import Any, NamedTuple

from mlpkit.cli.interrupt import Interrupts
from mlpkit.components.schema.wording import counted
from mlpkit.display.notebook import default_observer
from mlpkit.errors import UsageError
from mlpkit.groups.ensemble import resume_ensemble
from mlpkit.jobs.resume_network import Reopened, Session, reopened, resume_network, train_claimed
from mlpkit.jobs.run_inputs import INITIALIZED_FROM, GivenExamples, RunInputs, lock_of
from mlpkit.jobs.run_recorder import FolderStore
from mlpkit.jobs.train import Run
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import ENSEMBLE_RUN, RunArgument, directory_of, kind_of
from mlpkit.system import real_path
from mlpkit.training.callbacks import EarlyStopping
from mlpkit.training.checkpointing import Snapshot
from mlpkit.training.events import Event, Observer, ObserverGroup, StopRequest, python_warnings
from mlpkit.training.ranks import Ranks
from mlpkit.verbs.run.training import TrainingOptions, end_training, train


def resume(
    directory: RunArgument,
    *,
    epochs: int | None = None,
    iterations: int | None = None,
    out: str | Path | None = None,
    examples: GivenExamples | None = None,
    plugins: Iterable[str | Path | ModuleType] = (),
    blocked: Iterable[str] = (),
    observer: Observer | None = None,
    quiet: bool = False,
    stop: StopRequest | None = None,
) -> Run:
    """Resume a run from its newest checkpoint, with the same bits as if it had never been interrupted.

    A finished run is returned unchanged. With ``epochs`` or ``iterations``, it is trained for longer, as a new run in a
    new folder that continues after its last step: with the state of the optimizer and of callbacks, schedules of the
    new length, and early stopping that counts from there.

    Args:
        directory: the run folder, or a run that one keeps.
        epochs: passes over the training data in total, to train a finished run for longer.
        iterations: the same in steps.
        out: the folder of the longer run, missing or empty; by default one next to that of the run, with a number.
        examples: inputs and targets, and weights, if ``fit`` was given them: the same ones again; or a mapping from
            splits to them, if it was given examples for validation or test too.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.
        observer: receives the events, damaged checkpoints, other versions and deprecated usage in the spec included;
            by default Python warns of these, and a notebook shows progress. Not of an ensemble.
        quiet: whether to show no progress in a notebook.
        stop: may ask the run to end after the step that it is in.

    Raises:
        RunFolderError: the folder isn't a run folder, has another writer or no checkpoint, or the spec, a plugin or the
            data has changed since; the message names it.
        UsageError: no folder keeps the run, or the folder is that of several seeds, or of a sweep; or the run can't be
            trained for longer.
        SpecError: a plugin that the spec needs is missing.
        DataError: a data file is not what it should be.
        DivergenceError: a loss, a parameter or an optimizer's slot was not finite.
        StorageError: the run folder can't be written.
        KeyboardInterrupt: Ctrl-C stopped the training after the step that it was in; ``run`` of the exception has what
            was trained.
    """
    directory = directory_of(directory)
    kind = kind_of(directory)
    if kind is not None and not kind.is_run:
        way = f'{kind.python}("{directory}")' if kind.python else f"{kind.command} {quote(str(directory))}"
        raise UsageError(f"{directory}: holds {kind.holds}; resume it with: {way}")
    longer = epochs is not None or iterations is not None or out is not None
    if longer and kind is ENSEMBLE_RUN:
        raise UsageError(f"{directory}: is an ensemble; one of its networks can be trained for longer")
    if longer:
        if (epochs is None) == (iterations is None):
            raise UsageError("resume takes either epochs or iterations, to train a finished run for longer")
        return train_longer(
            directory,
            Length(epochs, iterations),
            folder_for(directory, out),
            Registry.discover(plugins=plugins, blocked=blocked),
            examples=examples,
            observer=observer or default_observer(quiet=quiet),
            stop=stop or StopRequest(),
        )
    if kind is not ENSEMBLE_RUN:
        return resume_network(
            directory,
            examples=examples,
            plugins=plugins,
            blocked=blocked,
            observer=observer or default_observer(quiet=quiet),
            stop=stop,
        )
    if observer is not None:
        raise UsageError("resume takes no observer of an ensemble: other processes train its networks")
    registry = Registry.discover(plugins=plugins, blocked=blocked)
    return resume_ensemble(directory, registry, examples=examples, observer=python_warnings("member"), stop=stop)


class Length(NamedTuple):
    """How many epochs or else steps to train, those that are done included."""

    epochs: int | None = None
    iterations: int | None = None

    @property
    def option(self) -> str:
        """The option of ``mlpkit resume``."""
        return f"--epochs {self.epochs}" if self.iterations is None else f"--iterations {self.iterations}"

    def __str__(self) -> str:
        """Return it with its unit."""
        return counted(self.epochs or 0, "epoch") if self.iterations is None else counted(self.iterations, "step")


def folder_for(directory: Path, out: str | Path | None) -> Path:
    """Return the folder for a longer run: ``out``, or a new one next to that of the run, which must be finished."""
    run = RunFolder.open(directory)
    if not run.finished:
        raise UsageError(f"{directory}: the run is not finished; {run.resume_hint}")
    place = directory if directory.name not in ("", "..") else real_path(directory)
    return Path(out) if out is not None else RunFolder.next_free(place.parent, place.name)


def train_longer(
    directory: Path,
    length: Length,
    out: Path,
    registry: Registry,
    *,
    examples: GivenExamples | None = None,
    observer: Observer,
    stop: StopRequest,
) -> Run:
    """Train a finished run, which stays unchanged, for longer, in a new folder, or raise ``UsageError``.

    The steps after its last checkpoint are repeated with the same bits, and the training continues after its last step.
    """
    with RunFolder.create(out) as folder:
        try:
            _begin(folder, RunFolder.open(directory), length, registry, examples, observer)
        except BaseException:
            folder.discard_if_unused()
            raise
        return train_claimed(folder, Session(registry, observer, stop, examples))


def _begin(
    folder: RunFolder,
    finished: RunFolder,
    length: Length,
    registry: Registry,
    examples: GivenExamples | None,
    observer: Observer,
) -> None:
    """Fill the folder of the longer run as if it had been stopped after the last step of the finished one."""
    history = finished.read_history()
    last = int(history[-1]["iteration"]) if history else 0
    with reopened(finished, last + 1, "continued", registry, examples, observer) as run:
        if run.proved.spec.training.seconds is not None:
            remedy = f"start a new run from its weights, with initialize_from: {finished.directory}"
            raise UsageError(f"{finished.directory}: was trained for a time, not for a number of steps; {remedy}")
        training = replace(run.proved.spec.training, epochs=length.epochs, iterations=length.iterations)
        spec = replace(run.proved.spec, top_level=replace(run.proved.spec.top_level, training=training))
        snapshot = _last_step(run, last, length, folder, finished)
        plan = run.training.plan
        resolved = spec.resolved_text(slices=plan.slices, threads=plan.threads)
        origin = {"run": str(finished.directory), "step": last, "until": length.option}
        lock = lock_of(spec, resolved, run.proved.dataset, run.training.origin.get(INITIALIZED_FROM), origin)
    inputs = RunInputs(finished.spec_text(), resolved, lock)
    folder.write_lock(lock)
    FolderStore(folder, inputs, keep=1).save(snapshot)
    folder.write_resolved(resolved)
    folder.write_spec(inputs.spec)
    folder.copy_records(finished)


def _last_step(run: Reopened, last: int, length: Length, folder: RunFolder, finished: RunFolder) -> Snapshot:
    """Return the training after the last step of the finished run and its evaluation, ready for more steps."""
    stop, store = StopRequest(), _LastSnapshot()

    def stop_after_last(event: Event) -> None:
        if event.kind == "evaluated" and event.data[0]["iteration"] == last:
            stop.stop("the step is done")

    kept: dict[str, Any] = {"folder": folder.directory, "resolved": run.training.values, "store": store}
    trainer = run.training.trainer(run.network, observer=ObserverGroup([stop_after_last]), stop=stop, **kept)
    total = length.iterations or (length.epochs or 0) * trainer.steps_per_epoch
    if total <= last:
        done = last if length.epochs is None else last / trainer.steps_per_epoch
        raise UsageError(
            f"{finished.directory}: {length} in all is not more than the {done:.4g} already done; give more"
        )
    if run.snapshot is not None:
        trainer.restore(run.snapshot)
    trainer.train()
    snapshot = store.snapshot or run.snapshot  # that of a checkpoint after the last step
    assert snapshot is not None
    for callback, state in zip(trainer.callbacks, snapshot.metadata["callbacks"], strict=True):
        if isinstance(callback, EarlyStopping):
            state["waited"] = 0
    snapshot.metadata["stop_reason"] = ""
    return snapshot


class _LastSnapshot:
    """Keeps the last snapshot of a training in memory; None without one."""

    snapshot: Snapshot | None = None

    def save(self, snapshot: Snapshot, *, best: bool = False) -> None:
        """Keep it, unless it is the best so far."""
        self.snapshot = self.snapshot if best else snapshot

    def raise_failure(self) -> None:
        """Nothing is written."""


def resume_run(directory: Path, ranks: Ranks, **chosen: Any) -> None:
    """Resume a run of one network, and exit as it ended; ``chosen`` are ``TrainingOptions``."""
    wanted = TrainingOptions(**chosen)
    with Interrupts() as interrupts:
        job = partial(resume_network, directory, ranks=ranks, **wanted.plugin_options)
        found = train(job, directory.name, directory, "", wanted, interrupts)
    end_training(found, [directory], wanted, interrupts)


def resume_for_longer(
    directory: Path, ranks: Ranks, *, epochs: int | None, iterations: int | None, out: Path | None, **chosen: Any
) -> None:
    """Train a finished run for longer, and end the program as that ended; ``chosen`` are ``TrainingOptions``."""
    wanted = TrainingOptions(**chosen)
    if (epochs is None) == (iterations is None):
        raise UsageError("expected either --epochs N or --iterations N, to train a finished run for longer")
    if ranks.size > 1:
        raise UsageError("several ranks can't start a longer run; start it without mpiexec, and resume it with mpiexec")
    with Interrupts() as interrupts:
        registry = Registry.discover(**wanted.plugin_options)
        folder = folder_for(directory, out)
        job = partial(train_longer, directory, Length(epochs, iterations), folder, registry)
        found = train(job, folder.name, folder, "", wanted, interrupts)
    end_training(found, [folder], wanted, interrupts)
