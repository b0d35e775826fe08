"""Shapley values of the columns of rows, compared with background rows: training rows that the run folder keeps."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import factorial, prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.target import Classes, Labels, Values
from mlpkit.errors import MlpkitError, RunFolderError, StorageError, UsageError
from mlpkit.jobs.evaluate import data_of_run, warning_of_changed_data
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


def columns_in(raw: RawRows) -> int:
    """Return how many columns raw rows have; an array's columns are numbered."""
    return len(raw) if isinstance(raw, Mapping) else prod(raw.shape[1:])


def names_of_columns(raw: RawRows, names: Sequence[str] | None) -> Sequence[str]:
    """Return the names of columns; of an array, ``names`` if it has as many, otherwise numbers."""
    if isinstance(raw, Mapping):
        return list(raw)
    count = columns_in(raw)
    return names if names is not None and len(names) == count else [f"input {i}" for i in range(count)]


def rows_in(raw: RawRows) -> int:
    """Return how many rows there are."""
    return len(next(iter(raw.values()))) if isinstance(raw, Mapping) else len(raw)


def rows_at(raw: RawRows, indices: NDArray[np.intp]) -> RawRows:
    """Return the rows at some positions."""
    if isinstance(raw, Mapping):
        return {name: [values[i] for i in indices.tolist()] for name, values in raw.items()}
    return raw[indices]


def column_of_inputs(encode: Callable[[Any], Array], reference: RawRows, *samples: RawRows) -> NDArray[np.intp] | None:
    """Return the number of the column that each input of a network belongs to, or None if one belongs to several.

    It is -1 of an input that is the same in all rows. Rows aren't encoded once per column, but twice per binary digit
    of a column's number: with the columns that have a 0 there set to their value in the first reference row, and with
    the ones that have a 1. The inputs that change belong to one of these.

    Args:
        encode: returns the inputs for raw rows, shape (rows, inputs).
        reference: some rows.
        samples: further rows, perhaps of other types: no column is made of values from two of them.
    """
    count, every = columns_in(reference), (reference, *samples)
    x = np.concatenate([encode(raw) for raw in every])
    found, moved = np.zeros(x.shape[1], np.intp), np.zeros(x.shape[1], bool)
    for digit in range(max(1, binary_digits(count))):
        with_zeros, with_ones = (
            (np.concatenate([encode(_with_first_of(reference, raw, columns)) for raw in every]) != x).any(axis=0)
            for columns in ([i for i in range(count) if i >> digit & 1 == value] for value in (0, 1))
        )
        if (with_zeros & with_ones).any():
            return None
        found |= with_ones.astype(np.intp) << digit
        moved |= with_zeros | with_ones
    return np.where(moved, found, -1)


def binary_digits(columns: int) -> int:
    """Return how many binary digits the numbers of columns have."""
    return (columns - 1).bit_length()


def _with_first_of(reference: RawRows, raw: RawRows, columns: Sequence[int]) -> RawRows:
    """Return rows in which some columns have the value of the first reference row."""
    if isinstance(raw, Mapping) and isinstance(reference, Mapping):
        rows, names = rows_in(raw), [name for column, name in enumerate(raw) if column in columns]
        return {**raw, **{name: [reference[name][0]] * rows for name in names}}
    assert isinstance(raw, np.ndarray)
    assert isinstance(reference, np.ndarray)
    flat = raw.reshape(len(raw), -1).copy()
    flat[:, columns] = reference[0].reshape(-1)[columns]
    return flat.reshape(raw.shape)


MOST_PARTS_SHOWN: Final = 8
MOST_ENUMERATED: Final = 8
"""Parts whose sets are enumerated at most, if that takes no more values of the function than the orders."""
SETS_TOGETHER: Final = 4096

Game = Callable[[NDArray[np.bool_], NDArray[np.intp]], NDArray[np.float64]]
"""Returns the function's values, shape (sets, outputs), for sets of parts.

Its arguments are which parts are the input's own, shape (sets, parts), and the number of the background row that the
rest is from, shape (sets,).
"""


def shapley_values(
    game: Game,
    whole: NDArray[np.float64],
    alone: NDArray[np.float64],
    parts: int,
    orders: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Shapley values of an input's parts, and their standard errors, each of shape (parts, outputs).

    The values add up to ``whole`` minus the mean of ``alone``.

    v(S) = mean over background rows b of f(the input's parts in S, the rest of b)
    value of j = mean over the orders of the parts of v(those up to j) - v(those before j)

    The mean is over drawn orders, each walked from both ends, and over all background rows equally often; so a walk
    takes the function's values for a single background row. With few parts, all sets are enumerated instead.

    Args:
        game: the function.
        whole: its values for the input, shape (outputs,).
        alone: its values for each background row, shape (rows, outputs).
        parts: how many parts there are.
        orders: how many pairs of orders to draw, at least two for each background row.
        rng: draws them.

    Source: Castro, Gomez and Tejada, Polynomial Calculation of the Shapley Value Based on Sampling (2009); Mitchell,
        Cooper, Frank and Holmes, Sampling Permutations for Shapley Value Estimation (2022).
    """
    rounds = max(2, -(-orders // len(alone)))
    if parts <= MOST_ENUMERATED and 2**parts - 2 <= 2 * rounds * (parts - 1):
        values = _enumerated(game, whole, alone, parts)
        return values, np.zeros_like(values)
    rows = len(alone)
    places = rng.permuted(np.tile(np.arange(parts), (rounds * rows, 1)), axis=1)
    both = np.concatenate([places, parts - 1 - places])  # an order, and the same from its end
    of_row = np.tile(np.arange(rows), 2 * rounds)
    together = max(1, SETS_TOGETHER // max(1, parts - 1))
    added = [
        _walked(game, whole, alone, both[begin : begin + together], of_row[begin : begin + together])
        for begin in range(0, len(both), together)
    ]
    pairs = np.concatenate(added).reshape(2, rounds, rows, parts, -1).mean(axis=0)
    errors = np.sqrt(pairs.var(axis=0, ddof=1).sum(axis=0) / rounds) / rows  # background rows are strata
    return pairs.mean(axis=(0, 1)), errors


def _walked(
    game: Game,
    whole: NDArray[np.float64],
    alone: NDArray[np.float64],
    places: NDArray[np.intp],
    of_row: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return what each part adds on walks from background rows to the input, shape (walks, parts, outputs).

    ``places`` is when each part joins, shape (walks, parts), and ``of_row`` the row that each walk begins with.
    """
    count, parts = places.shape
    worth = np.empty((count, parts + 1, len(whole)))
    worth[:, 0], worth[:, -1] = alone[of_row], whole
    masks = places[:, None, :] < np.arange(1, parts)[:, None]
    worth[:, 1:-1] = game(masks.reshape(-1, parts), np.repeat(of_row, parts - 1)).reshape(count, parts - 1, -1)
    return np.take_along_axis(np.diff(worth, axis=1), places[:, :, None], axis=1)


def _enumerated(game: Game, whole: NDArray[np.float64], alone: NDArray[np.float64], parts: int) -> NDArray[np.float64]:
    rows, numbers = len(alone), np.arange(2**parts)
    masks = (numbers[:, None] >> np.arange(parts) & 1).astype(bool)
    worth = np.empty((2**parts, alone.shape[1]))
    worth[0], worth[-1] = alone.mean(axis=0), whole
    for number in numbers[1:-1]:
        worth[number] = game(np.repeat(masks[[number]], rows, axis=0), np.arange(rows)).mean(axis=0)
    sizes = masks.sum(axis=1)
    shares = np.array([factorial(size) * factorial(parts - 1 - size) / factorial(parts) for size in range(parts)])
    values = np.empty((parts, alone.shape[1]))
    for part in range(parts):
        without = numbers[~masks[:, part]]
        values[part] = shares[sizes[without]] @ (worth[without | 1 << part] - worth[without])
    return values


@dataclass(frozen=True)
class Explanation:
    """Why a model predicts what it predicts: what each column adds to the mean prediction for some training rows.

    Args:
        values: Shapley values, shape (rows, columns), or (rows, columns, outputs) if there are several outputs; a row's
            values and its ``base`` add up to its prediction.
        errors: their standard errors; 0 if they are exact.
        base: the mean prediction, shape (rows,) or (rows, outputs).
        columns: the names of the columns.
        outputs: what is explained: the one name of a value; the names of all classes, labels or values; or, if the
            probability of the predicted class is, its name for each row.
        inputs: the values that the rows have in the columns, by name; None if rows are arrays.
    """

    values: Array
    errors: Array
    base: Array
    columns: tuple[str, ...]
    outputs: tuple[str, ...]
    inputs: Mapping[str, Sequence[Any]] | None = None

    @property
    def predictions(self) -> Array:
        """The predictions that are explained, shape (rows,) or (rows, outputs)."""
        total: Array = self.base + self.values.sum(axis=1)
        return total

    def of_row(self, row: int) -> list[tuple[str, float, Array, Array]]:
        """Return name, base, values and errors of each output of a row."""
        single = self.values.ndim == 2
        names = self.outputs[row if len(self.outputs) > 1 else 0 :] if single else self.outputs
        values, errors = (array[row].reshape(len(self.columns), -1).T for array in (self.values, self.errors))
        return list(zip(names, np.ravel(self.base[row]).tolist(), values, errors, strict=False))

    def parts_of(self, row: int, values: Array, errors: Array) -> list[tuple[str, float, float | None]]:
        """Return the columns of a row that add or take most, each with its error, and all others together.

        Args:
            row: the row; tables have its values behind the names, such as ``age = 41``.
            values: the values of one of its outputs.
            errors: their errors.
        """
        order = np.argsort(-np.abs(values), kind="stable")
        shown = order if len(order) <= MOST_PARTS_SHOWN + 1 else order[:MOST_PARTS_SHOWN]
        of = ["" if self.inputs is None else f" = {self.inputs[name][row]}" for name in self.columns]
        found: list[Any] = [(f"{self.columns[i]}{of[i]}", float(values[i]), float(errors[i])) for i in shown]
        rest = np.delete(values, shown)
        return [*found, (f"{len(rest)} others", float(rest.sum()), None)] if len(rest) else found


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
