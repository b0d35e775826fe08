"""A run that is prepared in its folder, and trained from there, perhaps by another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.jobs.build import prove
from mlpkit.jobs.callback_files import expect_own_files
from mlpkit.jobs.resume_network import resume_claimed
from mlpkit.jobs.run_spec import hold_examples, parse_resolved
from mlpkit.jobs.training_job import Run, TrainingJob
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.training.workers import blas_threads, choose_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from mlpkit.components.callback import Callback
    from mlpkit.jobs.run_spec import GivenExamples
    from mlpkit.jobs.spec_data import OpenedData
    from mlpkit.specfile.spec import Spec
    from mlpkit.training.events import Observer, StopRequest
    from mlpkit.training.workers import Plan


def prepare(spec: Spec, plan: Plan, directory: Path) -> None:
    """Make the folder of a run that is yet to begin: the spec as written and as resolved.

    Args:
        spec: the spec, with nothing left to its data.
        plan: how a step is to be computed.
        directory: the folder; it is missing or empty.

    Raises:
        SpecSchemaError: the resolved spec can't be written.
        RunFolderError: the folder is in use.
        StorageError: it can't be written.
    """
    with RunFolder.create(directory) as folder:
        folder.write_spec(spec.document.text)
        folder.write_resolved(spec.resolved_text(slices=plan.slices, threads=plan.threads))


def train_prepared(
    directory: Path,
    *,
    plugins: Iterable[str] = (),
    blocked: Iterable[str] = (),
    examples: GivenExamples | None = None,
    observer: Observer,
    stop: StopRequest,
    callbacks: Sequence[Callback] = (),
) -> Run:
    """Begin a run that is prepared, or go on with it, to the same bits as if it had been begun and ended at once.

    Without a checkpoint it begins, whatever else an earlier beginning left. A finished run is returned as it is.

    Args:
        directory: the run folder.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to do without.
        examples: the examples, if the run was given them in memory.
        observer: receives the events, without those of deprecated usage in a spec that is just prepared.
        stop: may ask the run to end after the step that it is in.
        callbacks: callbacks beside the spec's, of a run that begins.

    Raises:
        RunFolderError: the folder is no run folder, has another writer, or can't be resumed.
        MlpkitError: as ``run`` and ``resume`` do.
    """
    with RunFolder.open(directory) as folder:
        folder.claim()
        registry = Registry.discover(plugins=plugins, blocked=blocked)
        return train_claimed(folder, registry, observer, stop, examples=examples, callbacks=callbacks)


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
    """Do what ``train_prepared`` does, as the writer of the run folder.

    Args:
        folder: the run folder.
        registry: the plugins to take components from.
        observer: receives the events.
        stop: may ask the run to end after the step that it is in.
        examples: as for ``train_prepared``.
        callbacks: as for ``train_prepared``.
        opened: its data, if it is open already; a run that goes on opens its own.
        cores: the cores that there are for it; by default all.
    """
    if folder.finished or folder.checkpoints.exist:
        return resume_claimed(folder, registry, examples, observer, stop, cores=cores)
    resolved = folder.resolved_text()
    spec = parse_resolved(folder.directory, resolved, registry)
    expect_own_files(spec)
    plan = choose_plan(0, slices=spec.training.slices, threads=spec.training.threads)  # both stand in resolved.yaml
    dataset, splits = opened if opened is not None else (spec.new_dataset(), None)
    if examples is not None:
        hold_examples(dataset, examples)
    with blas_threads(plan.threads):
        proved = prove(spec, dataset)
        job = TrainingJob(
            spec, plan, proved, folder, resolved=resolved, callbacks=callbacks, splits=splits, cores=cores
        )
        folder.rewind([])
        folder.write_lock(job.lock)
        return job.train(folder.spec_text(), observer, stop)
