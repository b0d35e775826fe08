"""Shapley values of the columns of rows, for what a model predicts for them."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.target import Classes, Labels, Values
from mlpkit.errors import UsageError
from mlpkit.explanations.background import MOST_ROWS, background_of
from mlpkit.explanations.columns import column_of_varying_inputs, names_of_columns, rows_at, rows_in
from mlpkit.jobs.inputs import (
    columns_by_position,
    file_names,
    inputs_of,
    inputs_of_file,
    located,
    named_columns,
)
from mlpkit.network.arguments import number_array
from mlpkit.network.component_errors import component_errors
from mlpkit.numpy_file import NUMPY_SUFFIXES, read_numpy_file
from mlpkit.pages.sampling import evenly_spaced
from mlpkit.shapley import Explanation, shapley_values
from mlpkit.training.divergence import without_warnings
from mlpkit.training.workers import blas_threads

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.components.dataset import RawRows
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
    """Return why a model predicts what it predicts for rows; see ``Model.explain``.

    Args:
        model: the model.
        directory: its run folder; None without one.
        rows: as for ``Model.predict``; a row of a file that can't be predicted has NaN.
        background: rows to compare with; by default those of the run.
        all_classes: whether to explain the probability of each class, and not only that of the predicted one.
        orders: as for ``shapley_values``.
    """
    files = file_names(rows) or []
    inputs = inputs_of_file(model, files[0]) if len(files) == 1 else inputs_of(model, rows)
    present = np.setdiff1d(np.arange(len(inputs.x)), [*inputs.lacking])
    if background is None:
        compared = background_of(directory, model)
    else:
        inputs_of(model, background)  # finds what is wrong with them
        compared = _raw(model, background)
        compared = rows_at(compared, evenly_spaced(rows_in(compared), MOST_ROWS))
    raw = _raw(model, rows)
    found = explain_raw(model, rows_at(raw, present), compared, all_classes=all_classes, orders=orders)
    if not inputs.lacking:
        return found
    arrays = []
    for array in (found.values, found.errors, found.base):
        arrays.append(np.full((len(inputs.x), *array.shape[1:]), np.nan))
        arrays[-1][present] = array
    outputs = dict(zip(present.tolist(), found.outputs, strict=False))
    of_rows = tuple(outputs.get(row, "") for row in range(len(inputs.x)))
    of_rows = of_rows if _of_predicted(model, all_classes) else found.outputs
    return Explanation(*arrays, found.columns, of_rows, raw if isinstance(raw, Mapping) else None)


def explain_raw(
    model: TrainedModel, raw: RawRows, background: RawRows, *, all_classes: bool = False, orders: int = ORDERS
) -> Explanation:
    """Return the explanation of raw rows, compared with raw background rows.

    Columns are mixed once they are encoded, since each input of the network belongs to one column.

    Raises:
        UsageError: there are too many columns, or an input belongs to several.
    """
    names = names_of_columns(background, model.dataset.feature_names())
    if len(names) > MOST_COLUMNS:
        found = f"a row has {len(names):,} columns, and an explanation up to {MOST_COLUMNS}"
        raise UsageError(f"{found}; of images, the report shows which patches are important: mlpkit report RUN")
    column_of = column_of_varying_inputs(lambda rows: encoded(model, rows), background, raw)
    if column_of is None:
        raise UsageError("an input of the network comes from several columns, so they can't be explained one by one")
    of_predicted = _of_predicted(model, all_classes)
    with blas_threads(model.threads), without_warnings():
        x, others = encoded(model, raw), encoded(model, background)
        predicted = outputs_of(model, x)
        compared = _Compared(model, others, outputs_of(model, others), column_of)
        every = np.tile(np.arange(predicted.shape[1]), (len(x), 1))
        chosen = predicted.argmax(axis=1)[:, None] if of_predicted else every
        values, errors = np.zeros((2, len(x), len(names), chosen.shape[1]))
        for i, row in enumerate(x):
            compared.explain(row, predicted[i], chosen[i], orders, values[i], errors[i])
    base, outputs = compared.predicted.mean(axis=0)[chosen], names_of_outputs(model)
    if of_predicted:
        outputs = tuple(outputs[number] for number in chosen[:, 0])
    if chosen.shape[1] == 1:
        values, errors, base = values[..., 0], errors[..., 0], base[:, 0]
    return Explanation(values, errors, base, tuple(names), outputs, raw if isinstance(raw, Mapping) else None)


class _Compared(NamedTuple):
    """Background rows that rows are compared with.

    Args:
        model: the model.
        x: the rows, encoded, shape (rows, inputs).
        predicted: what the model predicts for them, shape (rows, outputs).
        column_of: the column that each input belongs to, at least those that differ in some rows.
    """

    model: TrainedModel
    x: Array
    predicted: NDArray[np.float64]
    column_of: NDArray[np.intp]

    def explain(
        self,
        row: Array,
        whole: NDArray[np.float64],
        outputs: NDArray[np.intp],
        orders: int,
        values: Array,
        errors: Array,
    ) -> None:
        """Write the Shapley values of an encoded row's columns, and their errors, for some outputs.

        What is drawn depends on the seed and on this row alone.
        """
        columns = np.unique(self.column_of[(self.x != row).any(axis=0)])  # the others add nothing
        if not len(columns):
            return
        part_of = np.searchsorted(columns, np.clip(self.column_of, columns[0], columns[-1]))

        def game(masks: NDArray[np.bool_], of: NDArray[np.intp]) -> NDArray[np.float64]:
            return outputs_of(self.model, np.where(masks[:, part_of], row, self.x[of]))[:, outputs]

        def generator() -> np.random.Generator:
            return keyed_generator(self.model.spec.seed, "explain", row.tobytes().hex())

        alone = self.predicted[:, outputs]
        values[columns], errors[columns] = shapley_values(game, whole[outputs], alone, len(columns), orders, generator)


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
    match model.target:
        case Classes(count=count):
            return model.dataset.class_names() or tuple(map(str, range(count)))
        case Labels(count=count):
            return model.dataset.target_names() or tuple(map(str, range(count)))
    names = model.dataset.target_names()
    if not isinstance(model.target, Values):
        names = model.network.replicas[0].prediction_names(names)
    count = prod(model.target.array(model.network.dtype)[0])
    return names or (("value",) if count == 1 else tuple(f"value {i}" for i in range(count)))


def _of_predicted(model: TrainedModel, all_classes: bool) -> bool:
    return isinstance(model.target, Classes) and not all_classes


def _raw(model: TrainedModel, rows: object) -> RawRows:
    """Return rows that can be encoded, as the data set's ``raw_rows`` does.

    Raises:
        UsageError: a table's rows are in a NumPy file, whose columns have no names.
    """
    names, files = model.dataset.column_names(), file_names(rows)
    if files is not None:
        parts = [_raw_of_file(model, located(model, file)) for file in files]
        if names is None:
            return np.concatenate(parts)
        return {name: [value for part in parts for value in part[name]] for name in names}
    if names is None:
        return number_array(rows, "rows")  # type: ignore[arg-type]  # whatever it is
    columns = named_columns(rows)
    columns = columns_by_position(rows, names) if columns is None else columns
    return {name: columns[name] for name in names}


def _raw_of_file(model: TrainedModel, file: Path) -> Any:
    named, in_numpy = model.dataset.column_names() is not None, file.suffix in NUMPY_SUFFIXES
    if named and in_numpy:
        raise UsageError(f"{file}: has no columns to explain; give a table of the kind that the model was trained on")
    with component_errors(f"dataset {model.spec.data.name} failed to read {file}"):
        if named:
            return model.dataset.read_table(file)
        return read_numpy_file(file, model.dataset.array_of_inputs) if in_numpy else model.dataset.read(file)
