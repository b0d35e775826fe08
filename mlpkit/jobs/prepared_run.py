"""A run that is prepared in its folder, and begun from there, perhaps by another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.jobs.callback_files import expect_own_files
from mlpkit.jobs.first_weights import expect_another_folder
from mlpkit.jobs.open_training import open_training, plan_of
from mlpkit.jobs.prove import prove
from mlpkit.jobs.run_spec import hold_examples, parse_resolved
from mlpkit.jobs.training_job import Run, TrainingJob
from mlpkit.runs.folder import RunFolder
from mlpkit.training.ranks import ONE_RANK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlpkit.components.callback import Callback
    from mlpkit.jobs.prove import SpecProof
    from mlpkit.jobs.run_spec import GivenExamples
    from mlpkit.jobs.spec_data import OpenedData
    from mlpkit.registry.registry import Registry
    from mlpkit.training.events import Observer, StopRequest
    from mlpkit.training.ranks import Ranks
    from mlpkit.training.workers import Plan


def prepare(proved: SpecProof, directory: Path, *, cores: int | None = None, written: str | None = None) -> Plan:
    """Make the folder of a run that is yet to begin: the spec as written and as resolved.

    Args:
        proved: the spec, proved.
        directory: the folder; it is missing or empty.
        cores: the cores that there are for the run; by default all.
        written: the spec as its author wrote it; by default the spec's own text.

    Returns:
        How a step is computed.

    Raises:
        SpecSchemaError: the resolved spec can't be written, or it begins with the weights of the run that was kept
            there.
        RunFolderError: the folder is in use.
        StorageError: it can't be written.
    """
    spec, plan = proved.spec, plan_of(proved, cores=cores)
    expect_another_folder(spec, directory)
    with RunFolder.create(directory) as folder:
        folder.write_spec(spec.document.text if written is None else written)
        folder.write_resolved(spec.resolved_text(slices=plan.slices, threads=plan.threads))
    return plan


def begin(
    folder: RunFolder,
    registry: Registry,
    observer: Observer,
    stop: StopRequest,
    *,
    examples: GivenExamples | None = None,
    callbacks: Sequence[Callback] = (),
    opened: OpenedData | None = None,
    ranks: Ranks = ONE_RANK,
    cores: int | None = None,
) -> Run:
    """Train a run that is prepared, whatever an earlier beginning left.

    Args:
        folder: the run folder, as its writer.
        registry: the plugins to take components from.
        observer: receives the events, without those of deprecated usage in the spec.
        stop: may ask the run to end after the step that it is in.
        examples: the examples, if the run was given them in memory.
        callbacks: callbacks beside the spec's.
        opened: its data, if it is open already.
        ranks: the processes that train the network together, of which this one is rank 0.
        cores: the cores that there are for it; by default all.

    Raises:
        MlpkitError: as ``run`` does.
    """
    resolved = folder.resolved_text()
    spec = parse_resolved(folder.directory, resolved, registry)
    expect_own_files(spec)
    dataset, splits = opened if opened is not None else (spec.new_dataset(), None)
    if examples is not None:
        hold_examples(dataset, examples)
    proved = prove(spec, dataset)
    with open_training(proved, resolved=resolved, splits=splits, ranks=ranks, cores=cores) as training:
        job = TrainingJob(training, folder, callbacks=callbacks)
        folder.rewind([], begun=False)
        folder.write_lock(training.lock)
        done = job.train(observer, stop)
    job.expect_uninterrupted(done)
    return done
