"""New rows against the rows that a run's network was trained on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mlpkit.array import Array
from mlpkit.components.dataset import Description, RawColumn, Split
from mlpkit.errors import DataError, RunFolderError, StorageError
from mlpkit.jobs.drift.column_counts import ColumnCounts, count_column, counts_from_plain
from mlpkit.jobs.drift.drift import FEWEST_ROWS, ColumnDrift, drift_of
from mlpkit.jobs.evaluate import data_of_run, warning_of_changed_data
from mlpkit.jobs.folds import FOLDED
from mlpkit.jobs.inputs import inputs_of_file, located, without_prediction
from mlpkit.jobs.load_model import TrainedModel, load_run
from mlpkit.jobs.predict import predictions_of
from mlpkit.jobs.spec_data import rows_to_predict
from mlpkit.network.component_errors import component_errors
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import LARGEST_DOCUMENT, file_hash, write_atomically
from mlpkit.runs.json_files import decode, encode_pretty, read_content
from mlpkit.runs.layout import MODEL, STATISTICS, has_file
from mlpkit.training.divergence import without_warnings
from mlpkit.training.minibatches import BatchReader
from mlpkit.training.workers import blas_threads

OF_MODEL: Final = "model"
"""The role of what the model predicts."""
MOST_INPUTS: Final = 100
"""Inputs of a row that are compared one by one."""
MOST_PREDICTED: Final = 10
"""Predicted values of a row that are compared."""


@dataclass(frozen=True)
class DriftReport:
    """New rows of a file against those that a run's network was trained on, the most drifted columns first.

    ``level`` is the probability of any false alarm, ``least`` the share of a column's rows that must have moved, too;
    ``notes`` tell what can't be compared, and why.
    """

    new: str
    run: str
    rows: int
    training_rows: int
    level: float
    least: float
    columns: tuple[ColumnDrift, ...]
    notes: tuple[str, ...]

    @property
    def drifted(self) -> list[ColumnDrift]:
        """The columns that have drifted."""
        return [column for column in self.columns if column.drifted]

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        columns = [column.to_plain() for column in self.columns]
        return {**vars(self), "drifted": [column.then.name for column in self.drifted], "columns": columns}


def drift(directory: Path, file: Path, registry: Registry, name: str, level: float, least: float) -> DriftReport:
    """Compare the rows of a file, as for ``predict``, with those that a run's network was trained on.

    ``name`` is what the file is called; ``level`` and ``least`` are as in ``DriftReport``.

    Raises:
        RunFolderError: neither the run's data nor its statistics are there.
        MlpkitError: as ``load_run`` and ``inputs_of_file`` do.
    """
    return drift_of_model(load_run(directory, registry), directory, file, name, level, least)


def drift_of_model(
    model: TrainedModel, directory: Path, file: Path, name: str, level: float, least: float
) -> DriftReport:
    """Compare the rows of a file with those that a run's model was trained on, as ``drift`` does."""
    notes = list[str]()
    then = _statistics(directory, model, notes)
    path, error = located(model, file), None
    with component_errors(f"dataset {model.spec.data.name} failed in raw_columns_in"):
        new = [*(model.dataset.raw_columns_in(path) or ())]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the columns show what is unusual about the rows
            inputs = inputs_of_file(model, file)
        if inputs.lacking:
            notes.append(f"some rows have no prediction: {without_prediction(inputs)}")
        x = np.delete(np.asarray(inputs.x, model.network.dtype), [*inputs.lacking], axis=0)
        new = [*(new or _inputs_as_columns(model, x)), *_predictions_as_columns(model, x)]
    except DataError as found:
        error = found
        notes.append(f"predictions can't be compared: {error}")
    columns = drift_of(then, new, level, least)
    compared = {column.then.name for column in columns if column.then.role == "input"}
    if not any(column.role == OF_MODEL for column in then):
        notes.append("predictions can't be compared: the run has no test or validation split")
    if error is not None and any(column.role == "input" and column.name not in compared for column in then):
        raise error
    rows = columns[0].now.rows
    if rows < FEWEST_ROWS:
        notes.append(f"{rows:,} rows are too few for a test; give at least {FEWEST_ROWS}")
    return DriftReport(name, str(directory), rows, then[0].rows, level, least, columns, tuple(notes))


def _statistics(directory: Path, model: TrainedModel, notes: list[str]) -> tuple[ColumnCounts, ...]:
    """Return the counts of a run from its folder; or from its data, and then keep them there."""
    path, digest = directory / STATISTICS, file_hash(directory / MODEL)
    problem = f"has no {STATISTICS}"
    if has_file(directory, STATISTICS):
        try:
            kept = decode(read_content(path, LARGEST_DOCUMENT))
            if kept["model"] == digest:
                return tuple(map(counts_from_plain, kept["columns"] or [None]))
            problem = f"its {STATISTICS} is of another model"
        except (KeyError, TypeError, ValueError) as error:
            problem = f"its {STATISTICS} is damaged: {error}"
    try:
        found = _counted(model, *data_of_run(directory, model))
    except (DataError, RunFolderError) as error:
        remedy = f"where the data is, 'mlpkit data FILE --against RUN' writes {STATISTICS} into the folder"
        raise RunFolderError(f"{directory}: {problem}, and its data can't be read: {error}; {remedy}") from error
    if changed := warning_of_changed_data(directory, model):
        notes.append(changed)
        return found
    plain = {"model": digest, "columns": [column._asdict() for column in found]}
    with suppress(StorageError):  # a folder that can't be written has them computed again
        write_atomically(path, encode_pretty(plain).encode())
    return found


def _counted(model: TrainedModel, description: Description, data: Mapping[str, Split]) -> tuple[ColumnCounts, ...]:
    """Count the columns of training, and predictions for rows of the test or validation split."""

    def some(split: str) -> Array:
        rows = rows_to_predict(len(data[split]), model.network)
        return BatchReader(data[split], description, model.network.dtype, len(rows)).take(rows)[0]

    with component_errors(f"dataset {model.spec.data.name} failed in raw_columns"):
        columns, trained = model.dataset.raw_columns(), FOLDED if model.spec.folds else ("train",)
    if columns is None:
        counted = [count_column(column) for column in _inputs_as_columns(model, some("train"))]
    else:
        used = [column for column in columns if column.role in ("input", "target")]
        of_training = [{split: each.codes[split] for split in trained if split in each.codes} for each in used]
        counted = [count_column(each._replace(codes=codes)) for each, codes in zip(used, of_training, strict=True)]
    held_out = next((split for split in ("test", "validation") if split in data), None)
    of_model = [] if held_out is None else _predictions_as_columns(model, some(held_out))
    return (*counted, *map(count_column, of_model))


def _predictions_as_columns(model: TrainedModel, x: Array) -> list[RawColumn]:
    """Return the class predicted and its probability, the least sure label's, or the values predicted."""
    with blas_threads(model.threads), without_warnings():
        values = model.network.predict_encoded(x)
    found, flat = predictions_of(model, values), values.reshape(len(values), -1)
    if found.classes is not None:
        classes = RawColumn("class predicted", OF_MODEL, found.class_labels, None, {"new": found.classes})
        return [classes, _of_numbers("largest probability", OF_MODEL, flat.max(axis=1))]
    if found.are_labels:
        return [_of_numbers("least sure probability", OF_MODEL, np.maximum(flat, 1 - flat).min(axis=1))]
    names = found.target_names or [str(i) for i in range(flat.shape[1])]
    columns = zip(names[:MOST_PREDICTED], flat.T, strict=False)
    return [_of_numbers(f"{name} predicted", OF_MODEL, values) for name, values in columns]


def _inputs_as_columns(model: TrainedModel, x: Array) -> list[RawColumn]:
    """Return each input of rows that come from no table, or mean and spread of each row if it is long or an image."""
    if x.ndim == 2 and x.shape[1] <= MOST_INPUTS:
        names = model.dataset.feature_names() or [f"input {i}" for i in range(x.shape[1])]
        return [_of_numbers(name, "input", values) for name, values in zip(names, x.T, strict=True)]
    flat = x.reshape(len(x), -1)
    of_rows = {"mean of a row": flat.mean(axis=1), "standard deviation of a row": flat.std(axis=1)}
    return [_of_numbers(name, "input", values) for name, values in of_rows.items()]


def _of_numbers(name: str, role: str, values: Array) -> RawColumn:
    texts = [""] * len(values)
    return RawColumn(name, role, texts, values.astype(np.float64), {"new": np.arange(len(values))})
