"""Going on with the training of a network that was interrupted, or is only prepared."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from mlpkit.errors import ModelFileError, RunFolderError
from mlpkit.jobs.load_model import restore
from mlpkit.jobs.open_training import open_training
from mlpkit.jobs.run_inputs import RunInputs, lock_changes, run_inputs_of, text_changes
from mlpkit.jobs.run_recorder import SNAPSHOT
from mlpkit.jobs.run_spec import hold_examples, parse_resolved, prove_again
from mlpkit.jobs.train import begin
from mlpkit.jobs.training_job import Run, TrainingJob
from mlpkit.registry.registry import Registry
from mlpkit.runs.checkpoints import NoCheckpointError
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import MODEL, RESOLVED, SPEC
from mlpkit.training.checkpointing import tracker_of
from mlpkit.training.events import Observer, StopRequest, python_warnings
from mlpkit.training.ranks import ONE_RANK
from mlpkit.training.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Unpack

    from mlpkit.components.callback import Callback
    from mlpkit.jobs.run_spec import GivenExamples
    from mlpkit.jobs.spec_data import OpenedData
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.runs.checkpoints import Checkpoint
    from mlpkit.specfile.sections import Training
    from mlpkit.training.evaluation import Record
    from mlpkit.training.ranks import Ranks


def resume_network(
    directory: Path,
    *,
    examples: GivenExamples | None = None,
    observer: Observer | None = None,
    stop: StopRequest | None = None,
    ranks: Ranks = ONE_RANK,
    **plugin_options: Unpack[PluginOptions],
) -> Run:
    """Do what ``resume`` does, for a run that trains one network, and show nothing.

    Args:
        directory: the run folder.
        examples: as for ``resume``.
        observer: receives the events; by default Python warns of damaged checkpoints and the like.
        stop: as for ``resume``.
        ranks: the processes that train the network together, of which this one is rank 0; they may be others than
            before.
        plugin_options: the keywords of ``Registry.discover``.
    """
    with RunFolder.open(directory) as folder:
        folder.claim()
        registry = Registry.discover(**plugin_options)
        return resume_claimed(folder, registry, examples, observer or python_warnings(), stop or StopRequest(), ranks)


def resume_claimed(
    folder: RunFolder,
    registry: Registry,
    examples: GivenExamples | None,
    observer: Observer,
    stop: StopRequest,
    ranks: Ranks = ONE_RANK,
    cores: int | None = None,
) -> Run:
    """Do what ``resume_network`` does, as the writer of the run folder.

    Args:
        folder: the run folder.
        registry: the plugins to take components from.
        examples: as for ``resume``.
        observer: receives the events.
        stop: may ask the run to end after the step that it is in.
        ranks: as for ``resume_network``.
        cores: the cores that there are for it; by default all.
    """
    if folder.finished:
        return _finished_run(folder, registry)
    if folder.only_prepared and not folder.checkpoints.exist:  # one of several that were stopped before it
        return begin(folder, registry, observer, stop, examples=examples, ranks=ranks, cores=cores)
    passed_over: list[str] = []
    checkpoint = folder.checkpoints.load_newest(passed_over.append)
    snapshot, origin = contents_of(checkpoint)
    for fault in passed_over:
        observer.noticed(f"{fault}; the run goes on from the checkpoint of step {snapshot.step} instead")
    return _go_on(folder, origin, snapshot, examples, registry, observer, stop, ranks, cores)


def train_claimed(
    folder: RunFolder,
    registry: Registry,
    observer: Observer,
    stop: StopRequest,
    *,
    examples: GivenExamples | None = None,
    callbacks: Sequence[Callback] = (),
    opened: OpenedData | None = None,
    cores: int | None = None,
) -> Run:
    """Begin a run that is prepared, or go on with it, to the same bits as if it had been begun and ended at once.

    Without a checkpoint that is whole it begins, whatever else an earlier beginning left. A finished run is left as it
    is.

    Args:
        folder: the run folder, as its writer.
        registry: the plugins to take components from.
        observer: receives the events, without those of deprecated usage in a spec that is just prepared.
        stop: may ask the run to end after the step that it is in.
        examples: the examples, if the run was given them in memory.
        callbacks: callbacks beside the spec's, of a run that begins.
        opened: its data, if it is open already; a run that goes on opens its own.
        cores: the cores that there are for it; by default all.
    """
    if folder.finished or folder.checkpoints.exist:
        try:
            return resume_claimed(folder, registry, examples, observer, stop, cores=cores)
        except NoCheckpointError:
            observer.noticed(f"{folder.directory}: every checkpoint is damaged, so the run begins again")
    return begin(folder, registry, observer, stop, examples=examples, callbacks=callbacks, opened=opened, cores=cores)


def _go_on(
    folder: RunFolder,
    origin: RunInputs,
    snapshot: Snapshot,
    examples: GivenExamples | None,
    registry: Registry,
    observer: Observer,
    stop: StopRequest,
    ranks: Ranks,
    cores: int | None,
) -> Run:
    resolved = folder.resolved_text()
    changes = text_changes(SPEC, origin.spec, folder.spec_text())
    _refuse(folder, snapshot, changes + text_changes(RESOLVED, origin.resolved, resolved))
    spec = parse_resolved(folder.directory, resolved, registry)
    for warning in spec.warnings:
        observer.warned(warning)
    dataset = spec.new_dataset()
    if examples is not None:
        hold_examples(dataset, examples)
    proved = prove_again(folder.directory, spec, dataset, begun=True)
    with open_training(proved, resolved=resolved, origin=origin.lock, ranks=ranks, cores=cores) as training:
        lock = lock_changes(origin.lock, training.lock)
        _refuse(folder, snapshot, [str(change) for change in lock if not change.of_environment])
        if lock:
            told = "; ".join(map(str, lock))
            observer.noticed(f"{folder.directory}: the same bits as without the break are no longer certain: {told}")
        job = TrainingJob(training, folder)
        done = job.train(observer, stop, snapshot=snapshot)
    job.expect_uninterrupted(done)
    return done


def _refuse(folder: RunFolder, snapshot: Snapshot, changes: list[str]) -> None:
    if changes:
        listed = "".join(f"\n  {line}" for line in changes)
        raise RunFolderError(
            f"{folder.directory}: can't be resumed: what it depends on has changed since step {snapshot.step}:{listed}"
            "\n  help: put it back as it was, or start a new run"
        )


def contents_of(checkpoint: Checkpoint) -> tuple[Snapshot, RunInputs]:
    """Return what a checkpoint holds for the trainer, and what its run was begun with.

    Raises:
        ModelFileError: the file is sound, but no checkpoint.
    """
    snapshot = Snapshot(checkpoint.arrays, checkpoint.metadata.get(SNAPSHOT, {}))
    try:
        origin, _ = run_inputs_of(checkpoint.arrays, checkpoint.metadata), snapshot.step
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{checkpoint.path}: is a model, and no checkpoint; put back what was there"
        raise ModelFileError(msg) from error
    return snapshot, origin


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
