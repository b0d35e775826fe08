"""Shapley values of the columns of rows, compared with background rows: training rows that the run folder keeps."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.target import Classes, Labels, Values
from mlpkit.errors import MlpkitError, RunFolderError, StorageError, UsageError
from mlpkit.jobs.evaluate import data_of_run, warning_of_changed_data
from mlpkit.jobs.explanations.columns import column_of_inputs, names_of_columns, rows_at, rows_in
from mlpkit.jobs.explanations.shapley import Explanation, shapley_values
from mlpkit.jobs.inputs import columns_by_position, file_names, inputs_of, located, named_columns
from mlpkit.jobs.spec_data import evenly_spaced, names_of_target, raw_rows
from mlpkit.network.component_errors import component_errors
from mlpkit.runs.layout import BACKGROUND
from mlpkit.runs.model_file import load_model_file, save_model
from mlpkit.training.divergence import without_warnings
from mlpkit.training.workers import blas_threads

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.components.dataset import RawRows, Split
    from mlpkit.jobs.load_model import TrainedModel

MOST_COLUMNS: Final = 500
ORDERS: Final = 400


def explain(
    model: TrainedModel,
    directory: Path | None,
    rows: object,
    background: object = None,
    *,
    all_classes: bool = False,
    orders: int = ORDERS,
) -> Explanation:
    """Return why a model predicts what it predicts for rows, as ``Model.explain`` does; ``directory`` is its folder."""
    raw = _raw(model, rows)
    others = background_of(directory, model) if background is None else _raw(model, background)
    others = rows_at(others, evenly_spaced(rows_in(others), MOST_ROWS))
    return explain_raw(model, raw, others, all_classes=all_classes, orders=orders)


def explain_raw(
    model: TrainedModel, raw: RawRows, background: RawRows, *, all_classes: bool = False, orders: int = ORDERS
) -> Explanation:
    """Return the explanation of raw rows, compared with raw background rows.

    Columns are mixed once they are encoded, since each input of the network belongs to one column. What is drawn for a
    row depends on the seed and on the row alone.

    Raises:
        UsageError: there are too many columns, or an input belongs to several.
    """
    names = names_of_columns(background, model.dataset.feature_names())
    if len(names) > MOST_COLUMNS:
        found = f"a row has {len(names):,} columns, and an explanation up to {MOST_COLUMNS}"
        raise UsageError(f"{found}; of images, the report shows which patches are important: mlpkit report RUN")
    column_of = column_of_inputs(lambda rows: encoded(model, rows), background, raw)
    if column_of is None:
        raise UsageError("an input of the network comes from several columns, so they can't be explained one by one")
    of_predicted = isinstance(model.target, Classes) and not all_classes
    with blas_threads(model.threads), without_warnings():
        x, others = encoded(model, raw), encoded(model, background)
        predicted, alone = outputs_of(model, x), outputs_of(model, others)
        values, errors = np.zeros((2, len(x), len(names), 1 if of_predicted else predicted.shape[1]))
        base = np.empty(values.shape[::2])
        for i, row in enumerate(x):
            chosen = predicted[i].argmax()[None] if of_predicted else np.arange(predicted.shape[1])
            base[i] = alone[:, chosen].mean(axis=0)
            columns = np.unique(column_of[(others != row).any(axis=0)])  # the others add nothing
            if len(columns):
                game = partial(_mixed, model, row, others, np.searchsorted(columns, column_of), chosen)
                rng = keyed_generator(model.spec.seed, "explain", row.tobytes().hex())
                values[i, columns], errors[i, columns] = shapley_values(
                    game, predicted[i, chosen], alone[:, chosen], len(columns), orders, rng
                )
    outputs = names_of_outputs(model)
    if of_predicted:
        outputs = tuple(outputs[number] for number in predicted.argmax(axis=1))
    if values.shape[2] == 1:
        values, errors, base = values[..., 0], errors[..., 0], base[:, 0]
    return Explanation(values, errors, base, tuple(names), outputs, raw if isinstance(raw, Mapping) else None)


def _mixed(
    model: TrainedModel,
    row: Array,
    others: Array,
    part_of: NDArray[np.intp],
    outputs: NDArray[np.intp],
    masks: NDArray[np.bool_],
    of: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return some outputs for mixtures of an encoded row with background rows; ``part_of`` is the part of an input."""
    own = masks[:, np.minimum(part_of, masks.shape[1] - 1)]
    return outputs_of(model, np.where(own, row, others[of]))[:, outputs]


def encoded(model: TrainedModel, raw: RawRows) -> Array:
    """Return raw rows as the network takes them, shape (rows, inputs)."""
    x = np.asarray(inputs_of(model, raw).x, model.network.dtype)
    return x.reshape(len(x), -1)


def outputs_of(model: TrainedModel, x: Array) -> NDArray[np.float64]:
    """Return what is explained of the predictions for encoded rows, shape (rows, outputs).

    Probabilities of classes or labels, or the values predicted.
    """
    prediction = model.network.predict_encoded(x.reshape(-1, *model.network.input_shape))
    if isinstance(model.target, Values):
        prediction = model.network.replicas[0].point_prediction(prediction)
    return prediction.reshape(len(x), -1).astype(np.float64)


def names_of_outputs(model: TrainedModel) -> tuple[str, ...]:
    """Return a name for each class, label or value."""
    names = names_of_target(model.dataset, model.target)
    if not isinstance(model.target, Classes | Labels | Values):
        names = model.network.replicas[0].prediction_names(names or None) or ()
    count = prod(model.target.array(model.network.dtype)[0])
    return names or (("value",) if count == 1 else tuple(f"value {i}" for i in range(count)))


def _raw(model: TrainedModel, rows: object) -> RawRows:
    """Return rows as the data set's ``raw_rows`` does, after checking that they can be predicted."""
    raw, names, files = inputs_of(model, rows).raw, model.dataset.column_names(), file_names(rows)
    if names is None:
        return raw
    if files is not None:
        with component_errors(f"dataset {model.spec.data.name} failed in read_table"):
            tables = [model.dataset.read_table(located(model, file)) for file in files]
        return {name: [value for table in tables for value in table[name]] for name in names}
    columns = named_columns(rows)
    columns = columns_by_position(rows, names) if columns is None else columns
    return {name: list(columns[name]) for name in names}


MOST_ROWS: Final = 100
_COLUMNS, _ROWS = "columns", "rows"
PASS_ROWS: Final = "in Python, pass some training rows: model.explain(rows, background=rows)"


def background_of(directory: Path | None, model: TrainedModel) -> RawRows:
    """Return the background rows of a run; the first call draws and writes them.

    Raises:
        UsageError: the run has not kept any, and they can't be drawn from its data.
        RunFolderError: the file is damaged.
    """
    if directory is None:
        raise UsageError(
            f"a model file alone has no training rows to compare with; load the run folder, or {PASS_ROWS}"
        )
    path = directory / BACKGROUND
    if path.exists():
        return _read(path, model)
    try:
        _, data = data_of_run(directory, model)
        rows = drawn_background(model, data["train"])
    except MlpkitError as error:
        found = f"{directory}: has no {BACKGROUND} yet, and the training rows for it can't be read: {error}"
        raise UsageError(f"{found}; restore the data, or {PASS_ROWS}") from error
    changed = warning_of_changed_data(directory, model)
    if changed:
        warnings.warn(f"{directory}: {changed}", stacklevel=2)
    try:
        arrays = {_ROWS: rows} if isinstance(rows, np.ndarray) else {}
        save_model(path, arrays, {} if arrays else {_COLUMNS: rows})
    except StorageError as error:
        warnings.warn(f"the background rows are drawn again next time: {error}", stacklevel=2)
    return rows


def drawn_background(model: TrainedModel, train: Split) -> RawRows:
    """Return raw training rows, evenly spaced, as plain data."""
    raw = raw_rows(model.dataset, "train", evenly_spaced(len(train), MOST_ROWS), train)
    if raw is None:
        raise UsageError(f"{model.spec.data.name} gives no raw rows")
    if not isinstance(raw, Mapping):
        return raw
    plain = {name: list(map(_plain, values)) for name, values in raw.items()}
    if not np.array_equal(inputs_of(model, raw).x, inputs_of(model, plain).x):
        raise UsageError(f"the values of {model.spec.data.name} can't be written as texts and numbers")
    return plain


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _read(path: Path, model: TrainedModel) -> RawRows:
    names = model.dataset.column_names()
    try:
        file = load_model_file(path)
        rows = file.arrays[_ROWS] if names is None else {name: file.metadata[_COLUMNS][name] for name in names}
        inputs_of(model, rows)  # checks lengths and values
    except (MlpkitError, KeyError, TypeError) as error:
        problem = error if isinstance(error, MlpkitError) else "it holds something else"
        remedy = "remove the file, and it is written again from the run's data"
        raise RunFolderError(f"{path}: is not the background of this run: {problem}; {remedy}") from error
    return rows
