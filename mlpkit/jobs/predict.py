"""Predictions of a trained network for a file of the user's."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path

import numpy as np

from mlpkit.array import Array
from mlpkit.components.target import Classes, Labels
from mlpkit.errors import ComponentFailure, UsageError
from mlpkit.jobs.inputs import Columns, Inputs, inputs_of_file, located, require_finite, without_prediction
from mlpkit.jobs.load_model import TrainedModel, load_run
from mlpkit.jobs.spec_data import why_not_exchangeable
from mlpkit.network.component_errors import component_errors
from mlpkit.registry.registry import Registry
from mlpkit.training.divergence import without_warnings
from mlpkit.training.workers import blas_threads


@dataclass(frozen=True)
class Predictions:
    """A network's predictions for the rows of a file.

    Args:
        values: predictions, shape (rows, ...): probabilities where classes are predicted.
        classes: number of the most probable class of each row; None where no classes are predicted.
        class_names: names of the classes; None if they are just numbers.
        target_names: a name for each label or number predicted; None if they have none.
        row_names: what each row comes from, such as a file of a folder; None if rows have no names.
        are_labels: whether the values are probabilities of labels.
        inputs: all columns of the file, unchanged; None if they weren't kept.
        absent: the rows without a prediction, since a value is missing: their ``values`` are NaN.
        regions: the ends ``low`` and ``high`` of intervals, shape (rows, ...), or a ``set``, a truth value for each
            class; empty without ``coverage``.
    """

    values: Array
    classes: Array | None
    class_names: tuple[str, ...] | None
    target_names: tuple[str, ...] | None = None
    row_names: tuple[str, ...] | None = None
    are_labels: bool = False
    inputs: Columns | None = None
    absent: Collection[int] = ()
    regions: Mapping[str, Array] = field(default_factory=dict)

    @property
    def class_labels(self) -> tuple[str, ...]:
        """The name or number of each class, in the order of their probabilities."""
        return self.class_names or tuple(map(str, range(self.values.shape[1])))

    @property
    def labels(self) -> Array | None:
        """The number of each row's class, shape (rows,), or 0 or 1 for each label; None where values are predicted."""
        return (self.values >= 0.5).astype(np.int64) if self.are_labels else self.classes

    def part(self, rows: slice) -> Predictions:
        """Return those for some rows, all of which have a prediction and no name."""
        regions = {name: ends[rows] for name, ends in self.regions.items()}
        classes = None if self.classes is None else self.classes[rows]
        return replace(self, values=self.values[rows], classes=classes, regions=regions)

    def region_columns(self) -> dict[str, Array]:
        """Return ``low`` and ``high``, after the target's name if there are several; or ``set``, joined by ``|``."""
        if "set" in self.regions:
            classes = np.array(self.class_labels)
            return {"set": np.array(["|".join(classes[of_row]) for of_row in self.regions["set"]], object)}
        columns = {end: ends.reshape(len(ends), -1) for end, ends in self.regions.items()}
        count = next((ends.shape[1] for ends in columns.values()), 0)
        before = [""] if count == 1 else [f"{name}_" for name in self.target_names or range(count)]
        return {f"{before[i]}{end}": columns[end][:, i] for i in range(count) for end in columns}

    def label(self, row: int) -> str:
        """Return the name or number of a row's most probable class; nothing for a row without a prediction."""
        if row in self.absent:
            return ""
        number = int(self.classes[row]) if self.classes is not None else 0
        return self.class_names[number] if self.class_names else str(number)


def predict(directory: Path, file: Path, registry: Registry | None = None, *, keep_inputs: bool = False) -> Predictions:
    """Return a run's predictions for each row of a file, except rows with a missing value if training had none."""
    model = load_run(directory, registry)
    inputs = inputs_of_file(model, file)
    if inputs.lacking:
        warnings.warn(f"{inputs.source}: {without_prediction(inputs)}; they have no prediction", stacklevel=2)
    found = predictions(model, inputs)
    warn_of_no_guarantee(model, found)
    return replace(found, inputs=_columns(model, file)) if keep_inputs else found


def _columns(model: TrainedModel, file: Path) -> Columns:
    if model.dataset.column_names() is None:
        raise UsageError(f"{model.spec.data.name} has no columns to keep; leave out --keep-inputs")
    with component_errors(f"dataset {model.spec.data.name} failed in read_table"):
        return model.dataset.read_table(located(model, file))


def predictions(model: TrainedModel, inputs: Inputs) -> Predictions:
    """Return a model's predictions for inputs, or raise ``DataError`` if one isn't finite."""
    values = predicted_values(model, inputs.x)
    for text in inputs.remarks:
        warnings.warn(f"{inputs.source}: {text}", stacklevel=3)
    return predictions_from(model, inputs, values)


def predicted_values(model: TrainedModel, x: Array) -> Array:
    """Return what a model predicts for encoded rows, shape (rows, ...); a row has the same bits among any others."""
    with blas_threads(model.threads), without_warnings():
        return model.network.predict_encoded(np.asarray(x, model.network.dtype))


def predictions_from(model: TrainedModel, inputs: Inputs, values: Array) -> Predictions:
    """Return the values predicted for inputs with what they mean, or raise ``DataError`` if one isn't finite."""
    require_finite(inputs.source, values, "is so far from what the network was trained on that it predicts {value}")
    values[[*inputs.lacking]] = np.nan
    found, coverage = predictions_of(model, values, inputs.row_names), model.network.adjustments.coverage
    regions = coverage.regions(values) if coverage is not None and coverage.is_fitted else {}
    return replace(found, absent=inputs.lacking, regions=regions)


def warn_of_no_guarantee(model: TrainedModel, found: Predictions) -> None:
    """Warn if the data set knows a reason why regions may hold fewer targets than promised."""
    if found.regions and (why := why_not_exchangeable(model.dataset)):
        warnings.warn(f"coverage has no guarantee: {why}", stacklevel=3)


def predictions_of(model: TrainedModel, values: Array, row_names: tuple[str, ...] | None = None) -> Predictions:
    """Return a network's predictions, shape (rows, ...), with what they mean."""
    loss, count, target = model.network.loss_layer, prod(values.shape[1:]), model.target
    of_target = None if isinstance(target, Classes) else model.dataset.target_names()
    names = loss.prediction_names() or of_target
    if names is not None and count != len(names):
        found = f"loss {loss.path} ({loss.type_name}) predicts {count} numbers for a row, and names {', '.join(names)}"
        raise ComponentFailure(f"{found}; expected a name for each number, from prediction_names")
    class_names, target_names = model.dataset.class_names(), model.dataset.target_names()
    if isinstance(target, Labels):
        target_names = target_names or tuple(map(str, range(target.count)))
    else:
        target_names = model.network.replicas[0].prediction_names(target_names)
    classes = values.argmax(axis=1) if isinstance(target, Classes) else None
    return Predictions(values, classes, class_names, target_names, row_names, are_labels=isinstance(target, Labels))
