"""Training the network of a spec from beginning to end, or taking part while rank 0 leads."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from mlpkit.components.dataset import Dataset, Description
from mlpkit.components.input_columns import columns_of
from mlpkit.components.target import Values
from mlpkit.errors import SpecShapeError, UsageError
from mlpkit.jobs.first_weights import require_another_folder
from mlpkit.jobs.open_training import OpenTraining, open_training, plan_of
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.jobs.run_inputs import parse_resolved, require_same_inputs
from mlpkit.jobs.training_job import Run, TrainerOptions, TrainingJob
from mlpkit.network.sequential import Sequential
from mlpkit.network.shape_proof import coupled_by_slices
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.specfile.spec import Spec
from mlpkit.training.events import Observer, ObserverGroup, StopRequest, python_warnings
from mlpkit.training.ranks import ONE_RANK, Ranks
from mlpkit.training.workers import Plan


def train_spec(
    spec: Spec,
    directory: str | Path | None,
    *,
    dataset: Dataset | None = None,
    observer: Observer | None = None,
    display: Observer | None = None,
    stop: StopRequest | None = None,
    network: Sequential | None = None,
    ranks: Ranks = ONE_RANK,
    **options: Unpack[TrainerOptions],
) -> Run:
    """Do what ``run`` does, with a data set that holds examples, a network or other parts that exist already.

    The data set gives its examples up at the end. ``display`` receives the events if no observer does, but no warnings.
    A network built for other inputs or slices is a ``UsageError``.
    """
    if directory is not None:
        require_another_folder(spec, Path(directory))
    proved = prove(spec, dataset)
    if network is not None:
        _require_fit(network, proved.description, spec.training.slices)
        built_for = network.target
        network.target = target = proved.description.target
        if isinstance(target, Values):  # scaled as the network computes with values
            network.target = replace(target, scaling=built_for.scaling if isinstance(built_for, Values) else None)
    for warning in proved.warnings:
        if observer is not None:
            observer.warned(warning)
        else:
            warnings.warn(str(warning), stacklevel=3)
    if spec.training.slices is None and (coupled := coupled_by_slices(proved.proof.stack, ranks.size, proved.frozen)):
        remedy = f"if that is intended, give the {ranks.size} ranks their slices: training.slices={ranks.size}"
        raise UsageError(f"{coupled}; {remedy}")
    folder = RunFolder.create(Path(directory)) if directory is not None else None
    if observer is None:
        shown = display or Observer()
        observer = shown if folder is None else ObserverGroup((python_warnings(), shown))
    with folder or nullcontext():
        try:
            with open_training(proved, ranks=ranks) as training:
                if folder is not None:
                    write_beginning(folder, training)
                job = TrainingJob(training, folder)
                run = job.train(observer, stop or StopRequest(), network=network, **options)
        except BaseException:
            if folder is not None:
                folder.discard_if_unused()
            raise
    if dataset is not None and dataset.in_memory:
        run.network.encoder = dataset
        dataset.hold({})
    job.require_uninterrupted(run)
    return run


def write_beginning(folder: RunFolder, training: OpenTraining) -> None:
    """Write what a run is begun with into its folder, which is new."""
    folder.write_lock(training.lock)  # first: a folder without it is that of a run which is only prepared
    folder.write_spec(training.proved.spec.document.text)
    folder.write_resolved(training.resolved)


def _require_fit(network: Sequential, description: Description, slices: int | None) -> None:
    """Check that a network that exists already can be trained on such examples."""
    input_shape = description.input_shape
    if input_shape != network.input_shape:
        raise UsageError(
            f"the examples have inputs of shape {input_shape}; the network was built for {network.input_shape}"
        )
    built_for = columns_of(network.input_shape)
    if built_for and built_for != tuple(description.columns):
        raise UsageError("the columns of the examples, or their categories, are not what the network was built for")
    if slices != len(network.replicas):
        raise UsageError(f"the network cuts a minibatch into {len(network.replicas)} slices, and can't change that now")


def prepare(proved: SpecProof, directory: Path, *, cores: int | None = None, written: str | None = None) -> Plan:
    """Make the folder of a run that will start later, with its spec as its author wrote it; return its plan."""
    spec, plan = proved.spec, plan_of(proved, cores=cores)
    require_another_folder(spec, directory)
    with RunFolder.create(directory) as folder:
        folder.write_spec(spec.document.text if written is None else written)
        folder.write_resolved(spec.resolved_text(slices=plan.slices, threads=plan.threads))
    return plan


def assist(ranks: Ranks, **plugin_options: Unpack[PluginOptions]) -> None:
    """Take part in what rank 0 does, until it is done; other data than rank 0 has is a ``UsageError``."""
    registry = Registry.discover(**plugin_options)

    def train(resolved: str) -> None:  # which sets slices and threads, too
        try:
            proved = prove(parse_resolved(Path(), resolved, registry), begun=True)
        except SpecShapeError as error:
            expected = "expected the same data as rank 0 has, at the same path on each host"
            raise UsageError(f"{error.faults[0].message}; {expected}") from error
        with open_training(proved, resolved=resolved, ranks=ranks) as training:
            network = training.network(begun=True)
            require_same_inputs(ranks, training.lock, proved.description)
            training.bare_trainer(network).assist()

    ranks.follow({"train": train})
