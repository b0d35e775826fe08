"""Training a spec from beginning to end."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpkit.components.target import target_to_plain
from mlpkit.jobs.blas_threads import blas_threads
from mlpkit.jobs.resolved_spec import resolved_text, spec_hash
from mlpkit.network.blame import Blame
from mlpkit.network.builder import build_for, prove
from mlpkit.registry.distributions import version_of
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.lock import lock_contents
from mlpkit.training.evaluation import Evaluator
from mlpkit.training.loop import Settings, Trainer
from mlpkit.training.observer import Observer, ObserverGroup
from mlpkit.training.plan import Plan, choose_plan
from mlpkit.training.stopping import StopRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.dataset import Dataset, Description, Split
    from mlpkit.network.sequential import Sequential
    from mlpkit.spec.spec import Spec
    from mlpkit.training.history import Record


@dataclass
class Run:
    """What came of a training run.

    Args:
        network: the trained network.
        history: one record an evaluation.
        metrics: loss and metrics at the end, by split; empty if the run was stopped.
        steps: steps done.
        folder: the run folder, or None if nothing was written.
        stopped: why the run was stopped before its end; empty if it was not.
    """

    network: Sequential
    history: list[Record] = field(default_factory=list)
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    steps: int = 0
    folder: Path | None = None
    stopped: str = ""


def run(
    spec: Spec,
    directory: str | Path | None = None,
    *,
    observer: Observer | None = None,
    stop: StopRequest | None = None,
) -> Run:
    """Train the network of a spec, and evaluate it at the end.

    Args:
        spec: the spec.
        directory: where to keep what happened; missing or empty. None keeps nothing.
        observer: is told how it goes.
        stop: may ask the run to end after the step that it is in.

    Raises:
        SpecShapeError: the layers don't fit each other or the data.
        DataError: a data file is not what it should be.
        DivergenceError: the loss was not finite.
        RunFolderError: the directory is in use.
        StorageError: the run folder can't be written.
    """
    proved = prove(spec)
    plan = choose_plan(
        proved.proof.flops * spec.training.batch_size, slices=spec.training.slices, threads=spec.training.threads
    )
    folder = RunFolder.create(Path(directory)) if directory is not None else None
    with folder or nullcontext(), blas_threads(plan.threads):
        try:
            return _run(spec, plan, proved.description, folder, observer or Observer(), stop or StopRequest())
        except BaseException:
            if folder is not None:
                folder.discard_if_unused()
            raise


def _run(
    spec: Spec,
    plan: Plan,
    description: Description,
    folder: RunFolder | None,
    observer: Observer,
    stop: StopRequest,
) -> Run:
    resolved = resolved_text(spec, plan)
    if folder is not None:
        folder.write_spec(spec.document.text)
        folder.write_resolved(resolved)
        observer = ObserverGroup((FolderObserver(folder), observer))
    dataset = spec.data()
    with Blame(f"dataset {spec.data.name} failed in open"):
        splits = dataset.open(spec.seed)
    if folder is not None:
        folder.write_lock(_lock(spec, resolved, dataset))
    network = build_for(spec, description.input_shape, target=description.target, slices=plan.slices)
    settings = settings_of(spec)
    directory = folder.directory if folder is not None else None
    trainer = Trainer(network, splits, description, settings, observer=observer, stop=stop, folder=directory)
    try:
        history = trainer.train()
    finally:  # a run that diverged keeps the parameters of its last good step
        if folder is not None:
            _save_model(folder, network, dataset, description, resolved)
    stopped = trainer.stopped if stop.reason else ""
    finished = Run(network, history, steps=trainer.progress.step, folder=directory, stopped=stopped)
    if not finished.stopped:
        finished.metrics = final_metrics(network, splits, description, settings, history)
        if folder is not None:
            folder.write_metrics({split: finite(values) for split, values in finished.metrics.items()})
    return finished


def finite(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the figures that are numbers; JSON has no others."""
    return {key: value for key, value in figures.items() if math.isfinite(value)}


def settings_of(spec: Spec) -> Settings:
    """Return how a spec says to train, its components built."""
    training = spec.training
    return Settings(
        optimizer=training.optimizer(),
        batch_size=training.batch_size,
        sampling=training.sampling,
        iterations=training.iterations,
        epochs=training.epochs,
        evaluate_every=training.evaluate_every,
        metrics={metric.name: metric for metric in training.metrics},
        augmentations=[augmentation() for augmentation in training.augment],
        callbacks=[callback() for callback in training.callbacks],
    )


def final_metrics(
    network: Sequential,
    splits: Mapping[str, Split],
    description: Description,
    settings: Settings,
    history: list[Record],
) -> dict[str, dict[str, float]]:
    """Return loss and metrics by split: those of the last evaluation, and now those of the test split."""
    names = ("loss", *settings.metrics)
    last = history[-1] if history else {}
    figures = Evaluator(network, splits, description, settings.metrics)(("test",))
    for split in ("validation", "train"):
        if f"{split}_loss" in last:
            figures[split] = {name: last[f"{split}_{name}"] for name in names}
    return figures


class FolderObserver(Observer):
    """Writes each evaluation into the run folder.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def evaluated(self, record: Record, seconds: float) -> None:
        """Add a line to the history, and one to the timing."""
        self._folder.append_history(finite(record))
        self._folder.append_timing({"iteration": record["iteration"], "seconds": seconds})


def _lock(spec: Spec, resolved: str, dataset: Dataset) -> dict[str, Any]:
    from mlpkit import __version__  # noqa: PLC0415 - the package is whole only now

    named = spec.registry.used()
    return lock_contents(
        version=__version__,
        spec_hash=spec_hash(resolved),
        data_checksum=dataset.fingerprint() or None,
        plugins={plugin.source: plugin.version for plugin in named if not plugin.built_in},
        requires={name: version_of(name) or "" for name in spec.requires},
    )


def _save_model(
    folder: RunFolder, network: Sequential, dataset: Dataset, description: Description, resolved: str
) -> None:
    metadata = {
        "spec": resolved,
        "encoder": dataset.encoder_state(),
        "input_shape": list(description.input_shape),
        "target": target_to_plain(description.target),
    }
    folder.save_model({**network.parameters, **network.states}, metadata)
