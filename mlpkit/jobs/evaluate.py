"""Evaluating the trained network of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlpkit.errors import DivergenceError, RunFolderError, SpecShapeError, UsageError
from mlpkit.jobs.build import data_not_as_trained_on, describe_data, open_data
from mlpkit.jobs.load_model import load_run
from mlpkit.jobs.run_inputs import DATA, Change
from mlpkit.network.component_errors import component_errors
from mlpkit.runs.folder import RunFolder
from mlpkit.training.evaluation import Evaluator
from mlpkit.training.workers import blas_threads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlpkit.components.dataset import Description
    from mlpkit.jobs.load_model import TrainedModel
    from mlpkit.registry.registry import Registry

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Evaluation:
    """What evaluation found.

    Args:
        metrics: loss and metrics by split, a table as a list of rows.
        tables: what the rows and the columns of each metric that is a table stand for, by the metric's name.
        class_names: names of the classes, or empty.
        doubt: what speaks against comparing the metrics with those of the run: the data has changed since; or empty.
    """

    metrics: dict[str, dict[str, Any]]
    tables: dict[str, tuple[str, str]] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()
    doubt: str = ""


def evaluate(directory: Path, splits: Sequence[str] = (), registry: Registry | None = None) -> Evaluation:
    """Return loss and metrics of a run's network by split, computed from the data.

    Args:
        directory: the run folder.
        splits: which splits; by default all that the data set has.
        registry: the plugins to take components from; by default what is installed.

    Raises:
        UsageError: the data set has no such split, or other data than the network was trained on.
        RunFolderError: the folder is not a run folder, or holds no model yet, or the data is missing.
        ModelFileError: the model file is damaged.
        DivergenceError: the model, or a loss, is not finite.
        DataError: a data file is not what it should be.
        ComponentFailure: the data set, the network or a metric raised an exception of its own.
    """
    model = load_run(directory, registry)
    try:
        description = describe_data(model.spec, model.dataset)
    except SpecShapeError as error:
        raise data_not_as_trained_on(directory, error) from error
    _expect_same_data(model, description)
    data = open_data(model.spec, model.dataset)
    for split in splits:
        if split not in data:
            raise UsageError(f"{model.spec.data.name} has no split '{split}'; expected one of {', '.join(data)}")
    metrics = {metric.name: metric for metric in model.spec.training.metrics}
    with blas_threads(model.threads):
        results = Evaluator(model.network, data, description, metrics)(splits or [s for s in SPLITS if s in data])
    for split, found in results.items():
        if not math.isfinite(found["loss"]):
            raise DivergenceError(
                f"{directory}: the {split} loss is {found['loss']}; check the data for values out of scale"
            )
    tables = {name: metric.component.table for name, metric in metrics.items() if metric.component.table is not None}
    return Evaluation(results, tables, model.dataset.class_names() or (), _doubt(directory, model))


def _doubt(directory: Path, model: TrainedModel) -> str:
    """Compare the checksum of the data, once opened, with that of the lock."""
    with component_errors(f"dataset {model.spec.data.name} failed in fingerprint"):
        now = model.dataset.fingerprint() or None
    try:
        then = RunFolder.open(directory).read_lock().get(DATA)
    except RunFolderError as error:
        return f"can't check whether the data is what the network was trained on: {error}"
    return "" if now == then else f"the data is not what the network was trained on: {Change(DATA, then, now)}"


def _expect_same_data(model: TrainedModel, description: Description) -> None:
    """Make sure that the data set still gives what the network takes, before any of it is read."""
    for what, now, then in (
        ("inputs of shape", description.input_shape, model.network.input_shape),
        ("targets of", description.target, model.target),
    ):
        if now != then:
            raise UsageError(
                f"{model.spec.data.name} gives {what} {now}, and the network was trained on {what} {then}; "
                "put back the data that it was trained on"
            )
