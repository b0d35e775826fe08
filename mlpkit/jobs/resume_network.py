"""Training a run that is prepared, or continuing one that was interrupted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Unpack

from mlpkit.components.callback import Callback
from mlpkit.errors import RunFolderError
from mlpkit.jobs import run_inputs
from mlpkit.jobs.load_model import restore
from mlpkit.jobs.open_training import open_training
from mlpkit.jobs.prove import prove
from mlpkit.jobs.spec_data import OpenedData
from mlpkit.jobs.training_job import Run, TrainingJob
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.checkpoints import NoCheckpointError
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import MODEL, RESOLVED, SPEC
from mlpkit.specfile.sections import Training
from mlpkit.training.checkpointing import tracker_of
from mlpkit.training.evaluation import Record
from mlpkit.training.events import Observer, StopRequest, python_warnings
from mlpkit.training.ranks import ONE_RANK, Ranks
from mlpkit.training.snapshot import Snapshot


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
    proved, ranks = (
        run_inputs.prove_again(directory, spec, run_inputs.dataset_of(spec, session.examples)),
        session.ranks,
    )
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
