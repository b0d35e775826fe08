"""Training a run that is prepared, continuing one that was interrupted, and opening one to do some steps again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Unpack

from mlpkit.components.callback import Callback
from mlpkit.errors import ModelFileError, RunFolderError, UsageError
from mlpkit.jobs import run_inputs
from mlpkit.jobs.first_weights import first_weights_now, without_first_weights
from mlpkit.jobs.load_model import restore
from mlpkit.jobs.open_training import OpenTraining, open_training
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.jobs.spec_data import OpenedData
from mlpkit.jobs.train import Run, TrainingJob
from mlpkit.network.sequential import Sequential
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import BEST, NoCheckpointError, RunFolder
from mlpkit.runs.layout import MODEL, RESOLVED, SPEC
from mlpkit.specfile.sections import Training
from mlpkit.training.checkpointing import Snapshot, tracker_of
from mlpkit.training.divergence import without_warnings
from mlpkit.training.evaluation import Record
from mlpkit.training.events import Observer, StopRequest, python_warnings
from mlpkit.training.ranks import ONE_RANK, Ranks


class Session(NamedTuple):
    """What a run is trained with, in addition to its folder.

    The callbacks are those in addition to the spec's, of a run that starts. So is ``opened``, its data, if that is open
    already. This process is rank 0, and has ``cores`` to itself, by default all.
    """

    registry: Registry
    observer: Observer
    stop: StopRequest
    examples: run_inputs.GivenExamples | None = None
    callbacks: Sequence[Callback] = ()
    opened: OpenedData | None = None
    ranks: Ranks = ONE_RANK
    cores: int | None = None


def resume_network(
    directory: Path,
    *,
    examples: run_inputs.GivenExamples | None = None,
    observer: Observer | None = None,
    stop: StopRequest | None = None,
    ranks: Ranks = ONE_RANK,
    **plugin_options: Unpack[PluginOptions],
) -> Run:
    """Do what ``resume`` does, for a run of one network, and show nothing; by default, problems are warnings."""
    with RunFolder.open(directory) as folder:
        folder.claim()
        registry = Registry.discover(**plugin_options)
        session = Session(registry, observer or python_warnings(), stop or StopRequest(), examples, ranks=ranks)
        return train_claimed(folder, session)


def train_claimed(folder: RunFolder, session: Session, *, again: bool = False) -> Run:
    """Start a run that is prepared, or continue it, to the same bits as without the break; a finished run stays.

    Without a whole checkpoint, a run that has begun starts over if ``again``; otherwise that is a
    ``NoCheckpointError``.
    """
    if folder.finished:
        return _finished_run(folder, session.registry)
    if not folder.checkpoints.exist and (again or folder.only_prepared):
        return _begin(folder, session)
    passed_over: list[str] = []
    try:
        checkpoint = folder.checkpoints.load_newest(passed_over.append)
    except NoCheckpointError:
        if not again:
            raise
        session.observer.noticed(f"{folder.directory}: every checkpoint is damaged, so the run starts over")
        return _begin(folder, session)
    snapshot, origin = run_inputs.contents_of(checkpoint)
    for fault in passed_over:
        session.observer.noticed(f"{fault}; the run continues from the checkpoint of step {snapshot.step} instead")
    return _continue(folder, origin, snapshot, session)


def _begin(folder: RunFolder, session: Session) -> Run:
    """Train a run that is prepared."""
    resolved = folder.resolved_text()
    spec = run_inputs.parse_resolved(folder.directory, resolved, session.registry)
    dataset, splits = session.opened or (run_inputs.dataset_of(spec, session.examples), None)
    proved, ranks, cores = prove(spec, dataset), session.ranks, session.cores
    with open_training(proved, resolved=resolved, splits=splits, ranks=ranks, cores=cores) as training:
        job = TrainingJob(training, folder)
        folder.rewind([], begun=False)
        folder.write_lock(training.lock)
        run = job.train(session.observer, session.stop, callbacks=session.callbacks)
    job.require_uninterrupted(run)
    return run


def _continue(folder: RunFolder, origin: run_inputs.RunInputs, snapshot: Snapshot, session: Session) -> Run:
    """Train a run from a snapshot, if what it depends on is as it was when it began."""
    directory, resolved, observer = folder.directory, folder.resolved_text(), session.observer
    changes = run_inputs.text_changes(SPEC, origin.spec, folder.spec_text())
    _refuse(folder, snapshot, changes + run_inputs.text_changes(RESOLVED, origin.resolved, resolved))
    spec = run_inputs.parse_resolved(directory, resolved, session.registry)
    for warning in spec.warnings:
        observer.warned(warning)
    dataset, ranks = run_inputs.dataset_of(spec, session.examples), session.ranks
    proved = run_inputs.prove_again(directory, spec, dataset)
    with open_training(proved, resolved=resolved, origin=origin.lock, ranks=ranks, cores=session.cores) as training:
        lock = run_inputs.lock_changes(origin.lock, training.lock)
        _refuse(folder, snapshot, [str(change) for change in lock if not change.of_environment])
        if lock:
            changed = "; ".join(map(str, lock))
            observer.noticed(f"{directory}: the same bits as without the break are no longer guaranteed: {changed}")
        job = TrainingJob(training, folder)
        run = job.train(observer, session.stop, snapshot=snapshot)
    job.require_uninterrupted(run)
    return run


def _refuse(folder: RunFolder, snapshot: Snapshot, changes: list[str]) -> None:
    if changes:
        listed = "".join(f"\n  {line}" for line in changes)
        raise RunFolderError(
            f"{folder.directory}: can't be resumed: what it depends on has changed since step {snapshot.step}:{listed}"
            "\n  help: restore it, or start a new run"
        )


def _finished_run(folder: RunFolder, registry: Registry) -> Run:
    model = restore(folder.load_model(), folder.directory / MODEL, registry)
    training = model.spec.training
    names = ("loss", *(metric.name for metric in training.metrics))  # as the run had them; JSON sorts them
    metrics = {
        split: {name: results[name] for name in names if name in results}
        for split, results in folder.read_metrics().items()
    }
    history = _with_nan(folder.read_history(), training)
    steps = int(history[-1]["iteration"]) if history else 0
    return Run(
        model.network,
        history,
        metrics,
        steps=steps,
        folder=folder.directory,
        _compared=partial(tracker_of, training, history),
        _trained=lambda: model,
    )


def _with_nan(history: list[Record], training: Training) -> list[Record]:
    """Return evaluations with the metrics that were not finite, which JSON leaves out."""
    names = [metric.name for metric in training.metrics if metric.component.table is None]
    splits = [split for split in ("train", "validation") if any(f"{split}_loss" in record for record in history)]
    keys = [f"{split}_{name}" for split in splits for name in names]
    return [
        {key: value for key, value in record.items() if key not in keys}
        | {key: record.get(key, math.nan) for key in keys}
        for record in history
    ]


class Reopened(NamedTuple):
    """A run whose data is open again, and its network built, to do some of its steps again.

    ``training.origin`` is its lock.json; ``snapshot`` is its newest checkpoint before the step, if there is one;
    ``changes`` are what its results depend on and has changed since.
    """

    training: OpenTraining
    network: Sequential
    snapshot: Snapshot | None
    changes: tuple[str, ...]

    @property
    def proved(self) -> SpecProof:
        """Its spec, proved."""
        return self.training.proved


@contextmanager
def reopened(
    folder: RunFolder,
    step: int,
    attempt: str,
    registry: Registry | None,
    examples: run_inputs.GivenExamples | None,
    observer: Observer,
) -> Iterator[Reopened]:
    """Open a run to do a step again, numbered from 1; in the block, products run on the run's threads.

    ``attempt`` is ``traced`` or ``continued``, for messages. The observer learns what has changed since the run; other
    data, another spec or other first weights are a ``RunFolderError``.
    """
    directory = folder.directory
    lock, resolved = run_inputs.lock_and_spec(folder)
    spec = run_inputs.parse_resolved(directory, resolved, registry)
    for warning in spec.warnings:
        observer.warned(warning)
    snapshot = _newest_before(folder, step, resolved, observer)
    begun = snapshot is not None
    if not begun and run_inputs.CONTINUES in lock:
        origin, steps = lock[run_inputs.CONTINUES], folder.checkpoints.steps()
        raise RunFolderError(
            f"{directory}: can't be {attempt} from its beginning: it continues {origin['run']} after step "
            f"{origin['step']:,}, and its first checkpoint is of step {min(steps, default=origin['step']):,}; expected "
            "a later step, or that run"
        )
    initialized_from = lock.get(run_inputs.INITIALIZED_FROM) if begun else first_weights_now(directory, spec, attempt)
    if initialized_from != lock.get(run_inputs.INITIALIZED_FROM):
        raise without_first_weights(directory, spec, attempt, "has changed")
    dataset = run_inputs.dataset_of(spec, examples)
    if dataset.in_memory and examples is None:
        call = "trace(RUN, STEP" if attempt == "traced" else "resume(RUN"
        raise UsageError(
            f"{directory}: was trained on examples in memory; give the same ones again, in Python: "
            f"mlpkit.{call}, examples=(x, t))"
        )
    proved = run_inputs.prove_again(directory, spec, dataset, begun=begun)
    with open_training(proved, resolved=resolved, origin=lock) as training, without_warnings():
        changes = _changes(directory, lock, training.lock, attempt, observer)
        yield Reopened(training, training.network(begun=begun), snapshot, changes)


def _newest_before(folder: RunFolder, step: int, resolved: str, observer: Observer) -> Snapshot | None:
    """Return the newest checkpoint of fewer steps; None without one."""
    found: list[Snapshot] = []
    for checkpoint in folder.checkpoints.load_before(step, observer.noticed):
        try:
            snapshot, inputs = run_inputs.contents_of(checkpoint)
        except ModelFileError as error:
            observer.noticed(str(error))
            continue
        if inputs.resolved != resolved:
            observer.noticed(f"{checkpoint.path}: belongs to another run, and is ignored")
            continue
        if snapshot.step < step:
            found.append(snapshot)
        if checkpoint.path.name != BEST:  # others are older
            break
    return max(found, key=lambda snapshot: snapshot.step, default=None)


def _changes(
    directory: Path, then: Mapping[str, Any], now: Mapping[str, Any], attempt: str, observer: Observer
) -> tuple[str, ...]:
    """Return what the results depend on and has changed; other data is an error."""
    changes = run_inputs.lock_changes(then, now)
    for change in changes:
        if change.key == run_inputs.DATA:
            raise RunFolderError(f"{directory}: can't be {attempt}: the data has changed: {change}")
    listed = tuple(map(str, changes))
    if listed:
        observer.noticed(f"{directory}: the same bits as in the run are no longer guaranteed: {'; '.join(listed)}")
    return listed
