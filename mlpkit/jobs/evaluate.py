"""Evaluating the trained network of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.array import Array
from mlpkit.components.dataset import Description, Split
from mlpkit.components.metric import Metric
from mlpkit.components.target import Classes, Target
from mlpkit.errors import DataError, DivergenceError, RunFolderError, SpecShapeError, UsageError
from mlpkit.jobs.inputs import Inputs, examples_of
from mlpkit.jobs.load_model import TrainedModel, load_run
from mlpkit.jobs.run_inputs import DATA, Change
from mlpkit.jobs.spec_data import data_not_as_trained_on, describe_data, open_data
from mlpkit.lazy_names import load
from mlpkit.network.component_errors import component_errors
from mlpkit.registry.registry import Registry
from mlpkit.runs import layout
from mlpkit.runs.folder import RunFolder
from mlpkit.specfile.spec import Spec
from mlpkit.training.evaluation import Evaluator
from mlpkit.training.workers import blas_threads

if TYPE_CHECKING:
    from mlpkit.jobs.groups_of_rows import MetricsByGroup
    from mlpkit.network.coverage import RegionsFound

SPLITS = ("train", "validation", "test")
DATA_SPLIT = "data"
"""What data that isn't the run's own is called in results."""

METRICS_BY_GROUP: Final = "mlpkit.jobs.groups_of_rows:metrics_by_group"
"""Returns loss and metrics of groups of rows, which few evaluations have; its statistics take long to load."""


@dataclass(frozen=True)
class Evaluation:
    """The results of an evaluation.

    Args:
        metrics: loss and metrics by split, a table as a list of rows.
        tables: what the rows and the columns of each metric that is a table stand for, by the metric's name.
        class_names: names of the classes, or empty.
        warning: why the metrics can't be compared with the run's: the data has changed since; or empty.
        regions: what intervals or sets hold, by split, of rows that are new to the model.
        by: loss and metrics of groups of rows by split, if some were asked for.
    """

    metrics: dict[str, dict[str, Any]]
    tables: dict[str, tuple[str, str]] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()
    warning: str = ""
    regions: dict[str, RegionsFound] = field(default_factory=dict)
    by: Mapping[str, MetricsByGroup] = field(default_factory=dict)

    def plain(self) -> dict[str, dict[str, Any]]:
        """Return the results by split, as ``--json`` prints them."""
        groups = {split: {"by": found.plain()} for split, found in self.by.items()}
        return {split: values | groups.get(split, {}) for split, values in self.metrics.items()}


def evaluate(
    directory: Path, splits: Sequence[str] = (), registry: Registry | None = None, by: Sequence[str] = ()
) -> Evaluation:
    """Return loss and metrics of a run's network, computed from the data, by split; by default of all splits."""
    model = load_run(directory, registry)
    description, data = data_of_run(directory, model)
    for split in splits:
        if split not in data:
            raise UsageError(f"{model.spec.data.name} has no split '{split}'; expected one of {', '.join(data)}")
    chosen = {split: data[split] for split in splits or SPLITS if split in data}
    metrics = _of_calibration(model)
    results = evaluated(model, chosen, description, [*chosen], directory, metrics)
    by = by or model.spec.top_level.by or ()
    groups = load(METRICS_BY_GROUP)(model, chosen, description, by, None, metrics) if by else {}
    found = _evaluation(model, results, warning_of_changed_data(directory, model))
    new = {split: rows for split, rows in chosen.items() if split == "test"}
    return replace(found, regions=_regions(model, new, description, by), by=groups)


def data_of_run(directory: Path, model: TrainedModel) -> tuple[Description, Mapping[str, Split]]:
    """Return shapes and splits of the data that a run's network was trained on, unless it has other shapes now."""
    try:
        description = describe_data(model.spec, model.dataset)
    except SpecShapeError as error:
        raise data_not_as_trained_on(directory, error) from error
    for what, now, then in (
        ("inputs of shape", description.input_shape, model.network.input_shape),
        ("targets of", description.target, model.target),
    ):
        if now != then:  # found before any data is read
            fault = f"{model.spec.data.name} gives {what} {now}, and the network was trained on {what} {then}"
            raise UsageError(f"{fault}; restore the data that it was trained on")
    return description, open_data(model.spec, model.dataset)


def evaluate_file(directory: Path, file: Path, registry: Registry | None = None, by: Sequence[str] = ()) -> Evaluation:
    """Return loss and metrics of a run's network for other data like its own, as the split ``data``."""
    model = load_run(directory, registry)
    inputs, targets, weights = examples_of(model, file)
    metrics, by = _of_calibration(model), by or model.spec.top_level.by or ()
    found = evaluated_examples(model, inputs, targets, weights, metrics, by, file)
    examples = Examples(model.target, inputs, targets)
    description = Description(model.network.input_shape, model.target, {DATA_SPLIT: len(examples)})
    return replace(found, regions=_regions(model, {DATA_SPLIT: examples}, description, by, file))


def _regions(
    model: TrainedModel, data: Mapping[str, Split], description: Description, by: Sequence[str], rows: object = None
) -> dict[str, RegionsFound]:
    """Return what the regions of a model hold by split, and by groups of rows; nothing if it has none."""
    coverage = model.network.adjustments.coverage
    if coverage is None or not coverage.is_fitted or not data:
        return {}
    from mlpkit.jobs import groups_of_rows, held_out  # noqa: PLC0415 - few models have regions

    found, columns = {}, groups_of_rows.groups_of_rows(model, data, by, rows) if by else {}
    for split, examples in data.items():
        of_columns = columns.get(split, {}).items()
        groups = {f"{column} {name}": at for column, of in of_columns for name, at in of.items()}
        with blas_threads(model.threads):
            of_rows = held_out.held_out(model.network, examples, description)
        found[split] = held_out.regions_found(model, of_rows.values, of_rows.targets, groups)
    return {split: of_split for split, of_split in found.items() if of_split is not None}


def _of_calibration(model: TrainedModel) -> Mapping[str, Callable[[], Metric]]:
    """Return the metrics that judge the probabilities of a network with a calibration; none of another network."""
    create, calibrated = model.spec.registry.create, model.spec.calibration is not None
    names = model.spec.registry.defaults("metric") if calibrated else ()
    return {name: partial(create, "metric", name) for name in names}


def evaluated_examples(
    model: TrainedModel,
    inputs: Inputs,
    targets: Array,
    weights: Array | None = None,
    metrics: Mapping[str, Callable[[], Metric]] = MappingProxyType({}),
    by: Sequence[str] = (),
    rows: object = None,
) -> Evaluation:
    """Return loss and metrics of a model for encoded examples, as the split ``data``.

    The targets are as ``Split.take`` writes them, but never one-hot. ``rows`` is what ``examples_of`` returned the
    examples for; only ``by``, the columns whose groups are evaluated too, needs it.
    """
    examples, weighted = Examples(model.target, inputs, targets, weights), weights is not None
    data = {DATA_SPLIT: examples}
    description = Description(model.network.input_shape, model.target, {DATA_SPLIT: len(examples)}, weighted)
    results = evaluated(model, data, description, [DATA_SPLIT], inputs.source, metrics)
    groups = load(METRICS_BY_GROUP)(model, data, description, by, rows, metrics) if by else {}
    return replace(_evaluation(model, results), by=groups)


def evaluated(
    model: TrainedModel,
    data: Mapping[str, Split],
    description: Description,
    splits: Sequence[str],
    source: str | Path,
    metrics: Mapping[str, Callable[[], Metric]] = MappingProxyType({}),
) -> dict[str, dict[str, Any]]:
    """Return loss and metrics of a model for some splits of data; ``source`` names the data in messages.

    ``metrics`` make metrics in addition to the spec's, by name. A loss that isn't finite is a ``DivergenceError``.
    """
    makers: dict[str, Callable[[], Metric]] = {metric.name: metric for metric in model.spec.training.metrics}
    with blas_threads(model.threads):
        results = Evaluator(model.network, data, description, makers | {**metrics, **makers})(splits)
    for split, found in results.items():
        if not math.isfinite(found["loss"]):
            loss = f"{source}: the {split} loss is {found['loss']}"
            raise DivergenceError(f"{loss}; check the data for values out of scale")
    return results


def in_order(metrics: Mapping[str, Mapping[str, Any]], spec: Spec) -> dict[str, dict[str, Any]]:
    """Return results with the splits, the loss and the metrics in the order in which people look for them."""
    splits = [split for split in layout.SPLITS if split in metrics]
    names = ("loss", *(metric.name for metric in spec.training.metrics))
    return {split: {name: metrics[split][name] for name in names if name in metrics[split]} for split in splits}


class Examples:
    """Examples in memory as a split, for what a network predicts; arguments as for ``evaluated_examples``."""

    def __init__(self, target: Target, inputs: Inputs, targets: Array, weights: Array | None = None) -> None:
        numbered = isinstance(target, Classes) and targets.ndim == 1
        shape = () if numbered else target.array(inputs.x.dtype)[0]
        if targets.shape != (len(inputs.x), *shape):
            expected = ", ".join(map(str, (len(inputs.x), *shape)))
            raise DataError(inputs.source, f"has targets of shape {targets.shape}; expected ({expected})")
        if isinstance(target, Classes) and numbered:
            wrong = np.flatnonzero((targets < 0) | (targets >= target.count))
            if len(wrong):
                found = f"row {wrong[0]}, counted from 0, is of class {targets[wrong[0]]}"
                raise DataError(inputs.source, f"{found}; the model knows 0 to {target.count - 1}")
            if target.one_hot:
                numbers, targets = targets, np.zeros((len(targets), target.count))
                targets[np.arange(len(numbers)), numbers] = 1
        self._arrays = (inputs.x, targets, *(() if weights is None else (weights,)))

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self._arrays[0])

    def take(self, indices: Array, out: tuple[Array, ...]) -> None:
        """Write the examples at ``indices`` into ``out``."""
        for array, written in zip(self._arrays, out, strict=True):
            written[...] = array[indices]


def _evaluation(model: TrainedModel, results: dict[str, dict[str, Any]], warning: str = "") -> Evaluation:
    tables = {metric.name: metric.component.table for metric in model.spec.training.metrics if metric.component.table}
    return Evaluation(results, tables, model.dataset.class_names() or (), warning)


def warning_of_changed_data(directory: Path, model: TrainedModel) -> str:
    """Return how the data, once opened, differs from what a run's network was trained on; or an empty text."""
    with component_errors(f"dataset {model.spec.data.name} failed in fingerprint"):
        now = model.dataset.fingerprint() or None
    try:
        then = RunFolder.open(directory).read_lock().get(DATA)
    except RunFolderError as error:
        return f"can't check whether the data is what the network was trained on: {error}"
    return "" if now == then else f"the data is not what the network was trained on: {Change(DATA, then, now)}"
