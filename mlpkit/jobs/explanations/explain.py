"""Shapley values of the columns of rows, for what a model predicts for them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.target import Classes, Labels, Values
from mlpkit.errors import UsageError
from mlpkit.jobs.explanations.background import MOST_ROWS, background_of
from mlpkit.jobs.explanations.columns import column_of_inputs, names_of_columns, rows_at, rows_in
from mlpkit.jobs.explanations.shapley import Explanation, shapley_values
from mlpkit.jobs.inputs import columns_by_position, file_names, inputs_of, located, named_columns
from mlpkit.jobs.spec_data import names_of_target
from mlpkit.network.component_errors import component_errors
from mlpkit.network.sampling import evenly_spaced
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
