"""From what people have (files, rows, columns, arrays) to what a trained network takes."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpkit.components.schema.wording import counted, listed, nearest_file
from mlpkit.errors import DataError, PluginError, ShapeError, UsageError
from mlpkit.jobs.load_model import TrainedModel
from mlpkit.jobs.spec_data import MOST_NAMES_SHOWN
from mlpkit.network.arguments import number_array, shape_of_rows
from mlpkit.network.component_errors import component_errors
from mlpkit.numpy_file import NUMPY_SUFFIXES, read_numpy_file
from mlpkit.training.divergence import without_warnings

Column: TypeAlias = Sequence[Any] | NDArray[Any]
Columns: TypeAlias = Mapping[str, Column]
"""Values by the name of their column: lists, or arrays of one dimension, of one length."""


def named_columns(rows: object) -> Columns | None:
    """Return the columns of rows whose values have names, or None; ``UsageError`` if they differ in length.

    Such rows are a dict of columns, a list of dicts, a data frame of pandas, Polars or Arrow, or a structured array.
    """
    if isinstance(rows, Mapping):
        return _of_one_length({str(name): _sequence(str(name), values) for name, values in rows.items()})
    if isinstance(rows, list | tuple) and any(isinstance(row, Mapping) for row in rows):
        return _of_dicts(rows)
    if isinstance(rows, np.ndarray):
        return {name: rows[name] for name in rows.dtype.names} if rows.dtype.names else None
    names = frame_columns(rows)
    return None if names is None else _of_frame(rows, names)


def frame_columns(rows: Any) -> list[Any] | None:
    """Return what a data frame calls its columns; None if it isn't a data frame."""
    if not hasattr(rows, "__len__") or not hasattr(rows, "__getitem__"):  # a lazy frame of Polars has columns, too
        return None
    names = getattr(rows, "column_names", None)  # Arrow's; its ``columns`` are the values
    names = getattr(rows, "columns", None) if names is None else names
    return None if names is None else list(names)


def row_labels(rows: object) -> Sequence[Any] | None:
    """Return the index of a data frame of pandas; None without an index, or if it counts the rows from 0."""
    index: Any = getattr(rows, "index", None)
    labels = index.tolist() if hasattr(index, "tolist") else None
    return None if labels is None or labels == list(range(len(labels))) else labels


def shown_label(label: Any) -> Any:
    """Return a label of a row as messages show it."""
    return label if isinstance(label, int) else f"'{label}'"


def columns_by_position(rows: object, names: Sequence[str]) -> Columns:
    """Return the columns of a matrix or a list of rows by their names, or raise ``ShapeError``."""
    if isinstance(rows, list | tuple) and all(isinstance(row, list | tuple) for row in rows):
        for number, row in enumerate(rows):
            if len(row) != len(names):
                found = f"row {number}, counted from 0, has {counted(len(row), 'value')}"
                raise ShapeError(found, expected=_values(names))
        return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else dict.fromkeys(names, ())
    array = np.asarray(rows)
    if array.ndim == 0:
        expected = "a file name, a list of dicts, a dict of columns, a data frame, or an array of two dimensions"
        raise UsageError(f"rows can't be {reprlib.repr(rows)}; expected {expected}")
    if array.ndim == 1 and len(names) == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise ShapeError(f"an array of shape {array.shape} doesn't fit the table", expected=f"rows of {_values(names)}")
    return dict(zip(names, array.T, strict=True))


def _values(names: Sequence[str]) -> str:
    return f"{counted(len(names), 'value')}: {listed(names, MOST_NAMES_SHOWN)}"


def _sequence(name: str, values: Any) -> Column:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        kind = f"the single value {values!r}" if not isinstance(values, Mapping) else "a dict"
        remedy = "give one row as a list that holds its dict: [{...}]"
        raise UsageError(f"the column '{name}' is {kind}; expected a list, with a value for each row; {remedy}")
    if isinstance(values, list | tuple):
        return values
    array = np.asarray(values)
    if array.ndim != 1:
        raise UsageError(f"the column '{name}' has values of shape {array.shape}; expected one value for each row")
    return array


def _of_frame(frame: Any, names: Sequence[Any]) -> Columns:
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two columns of the data frame are called '{name}'; rename one, or leave it out")
    return {str(name): _sequence(str(name), frame[name]) for name in names}


def _of_dicts(rows: Sequence[Any]) -> Columns:
    names: dict[str, None] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise UsageError(f"row {number}, counted from 0, is {row!r}; expected a dict, like the other rows")
        names.update(dict.fromkeys(map(str, row)))
    return {name: [row.get(name) for row in rows] for name in names}


def _of_one_length(columns: Columns) -> Columns:
    first = next(iter(columns), "")
    for name, values in columns.items():
        if len(values) != len(columns[first]):
            has = f"the column '{name}' has {counted(len(values), 'value')}, but '{first}' {len(columns[first]):,}"
            raise UsageError(f"{has}; expected as many in each column")
    return columns


IN_MEMORY: Final = "the rows"
"""What messages call rows that come from no file."""

MOST_ROWS_SHOWN: Final = 5


class Inputs(NamedTuple):
    """Inputs that are encoded for a network.

    Args:
        x: the inputs, shape (rows, *input_shape).
        source: the file that they come from, for messages.
        row_names: what each row comes from, such as a file of a folder; None if rows have no names.
        remarks: what is unusual about the rows, to warn of if they are predicted.
        lacking: the rows that can't be predicted since a value is missing, each with its columns; ``x`` has another
            row in their place.
        raw: the inputs before they are encoded, as ``Dataset.encode`` takes them.
    """

    x: NDArray[Any]
    source: str | Path = IN_MEMORY
    row_names: tuple[str, ...] | None = None
    remarks: Sequence[str] = ()
    lacking: Mapping[int, Sequence[str]] = MappingProxyType({})
    raw: NDArray[Any] = np.empty(0)


def inputs_of(model: TrainedModel, rows: object) -> Inputs:
    """Encode rows as in training: of one or several files, or in memory, as ``Model.predict`` takes them.

    Raises ``UsageError`` if there are no rows, ``ShapeError`` for rows of another shape, and ``DataError`` for a value
    that is missing, doesn't fit its column or isn't finite.
    """
    files = file_names(rows)
    if files is None:
        return _in_memory(model, rows)
    parts = [complete(inputs_of_file(model, file)) for file in files]
    if len(parts) == 1:
        return parts[0]
    x, remarks = np.concatenate([part.x for part in parts]), [text for part in parts for text in part.remarks]
    names = [name for part in parts for name in part.row_names or ()]
    raw = np.concatenate([part.raw.reshape(-1, *parts[0].raw.shape[1:]) for part in parts])
    return Inputs(x, parts[0].source, tuple(names) if len(names) == len(x) else None, remarks, raw=raw)


def file_names(rows: object) -> list[Path] | None:
    """Return the file, or the files, with the rows; None if they are in memory."""
    if isinstance(rows, str | os.PathLike):
        return [Path(rows)]
    if getattr(rows, "ndim", 0) == 1 and np.asarray(rows).dtype.kind in "OU":
        rows = np.asarray(rows).tolist()  # such as a column of a data frame
    if isinstance(rows, list | tuple) and rows and all(isinstance(file, str | os.PathLike) for file in rows):
        return [Path(file) for file in rows]
    return None


def inputs_of_file(model: TrainedModel, file: Path) -> Inputs:
    """Encode the rows of a file as in training; a row with a missing value is kept in ``lacking``."""
    file = located(model, file)
    with _reading(model, file):
        if file.suffix in NUMPY_SUFFIXES:
            raw, row_names = read_numpy_file(file, model.dataset.array_of_inputs), None
        else:
            raw, row_names = model.dataset.read(file), model.dataset.row_names(file)
        inputs = _encoded_but_lacking(model, file, raw)._replace(row_names=row_names)
    if row_names is not None and len(row_names) != len(inputs.x):
        found = f"{len(row_names)} names for the {len(inputs.x)} rows of {file}"
        raise PluginError(f"dataset {model.spec.data.name} gives {found}; expected one for each")
    return inputs


def examples_of(model: TrainedModel, source: object) -> tuple[Inputs, NDArray[Any], NDArray[Any] | None]:
    """Return inputs, encoded as in training, their targets as ``Split.take`` writes them, and any weights."""
    given = file_or_columns(model, source)
    place = given if isinstance(given, Path) else IN_MEMORY
    with _reading(model, place):
        raw, targets, *weights = model.dataset.read_examples(given)
        return Inputs(_encoded(model, place, raw), place), targets, weights[0] if weights else None


def file_or_columns(model: TrainedModel, source: object) -> Path | Columns:
    """Return where a file is, or columns in memory, as ``Dataset.read_examples`` takes them; see ``examples_of``."""
    match file_names(source):
        case [file]:
            return located(model, file)
    columns = named_columns(source)
    if columns is None or model.dataset.column_names() is None:
        raise UsageError("these rows have no targets; pass them as well: evaluate(rows, targets)")
    return columns


def located(model: TrainedModel, file: Path) -> Path:
    """Return where a file is that is named as a spec names files, or raise ``UsageError`` if it doesn't exist."""
    with component_errors(f"dataset {model.spec.data.name} failed in locate"):
        path = model.dataset.locate(str(file))
    require_exists(path)
    return path


def require_exists(file: Path, what: str = "file") -> None:
    """Raise ``UsageError``, with the name that was probably meant, if a file or folder doesn't exist."""
    try:
        file.stat()
    except FileNotFoundError as error:
        with suppress(OSError):
            meant = nearest_file(file.name, [path.name for path in file.parent.iterdir()])
            remedy = f"; did you mean '{meant}'?" if meant else ""
            raise UsageError(f"there is no {what} '{file}'{remedy}") from error
        raise UsageError(f"there is no folder '{file.parent}'") from error
    except (OSError, ValueError):
        return


@contextmanager
def _reading(model: TrainedModel, place: str | Path) -> Iterator[None]:
    with component_errors(f"dataset {model.spec.data.name} failed to read {place}"), without_warnings():
        yield


def _in_memory(model: TrainedModel, rows: object) -> Inputs:
    columns, labels = named_columns(rows), row_labels(rows)
    try:
        with _reading(model, IN_MEMORY):
            return complete(_encoded_but_lacking(model, IN_MEMORY, _raw(model, rows, columns)), labels)
    except DataError as error:
        if error.row is None or labels is None:
            raise
        raise DataError(IN_MEMORY, error.message, row=shown_label(labels[error.row]), column=error.column) from error


def _encoded_but_lacking(model: TrainedModel, place: str | Path, raw: NDArray[Any]) -> Inputs:
    """Encode raw inputs, with another row in place of each with a missing value; ``DataError`` if no row is whole."""
    lacking = model.dataset.lacking(raw)
    if lacking:
        whole = next((row for row in range(len(raw)) if row not in lacking), None)
        if whole is None:
            raise DataError(place, f"every row has a missing value; {_remedy(lacking)}")
        raw = raw.copy()
        raw[[*lacking]] = raw[whole]
    remarks = model.dataset.remarks(raw)
    return Inputs(_encoded(model, place, raw), place, remarks=remarks, lacking=lacking, raw=raw)


def complete(inputs: Inputs, labels: Sequence[Any] | None = None) -> Inputs:
    """Return inputs whose rows can all be predicted, or raise ``DataError``, which calls rows by their labels."""
    if inputs.lacking:
        raise DataError(inputs.source, without_prediction(inputs, labels))
    return inputs


def without_prediction(inputs: Inputs, labels: Sequence[Any] | None = None) -> str:
    """Return which rows can't be predicted since a value is missing, and what to do; see ``complete``."""
    lacking = inputs.lacking
    rows = [
        f"row {row if labels is None else shown_label(labels[row])} ({', '.join(columns)})"
        for row, columns in islice(lacking.items(), MOST_ROWS_SHOWN + 1)
    ]
    counted_from = ", counted from 0" if labels is None else ""
    how_many = (
        f"{len(lacking):,} of {counted(len(inputs.x), 'row')} {'has' if len(lacking) == 1 else 'have'} missing values"
    )
    which = f"{listed(rows, MOST_ROWS_SHOWN)}{counted_from}"
    return f"{how_many}, which no training row had: {which}; {_remedy(lacking)}"


def _remedy(lacking: Mapping[int, Sequence[str]]) -> str:
    names = dict.fromkeys(name for columns in lacking.values() for name in columns)
    return f"fill in {', '.join(names)}, leave these rows out, or train with missing set to fill"


def _raw(model: TrainedModel, rows: object, columns: Columns | None) -> NDArray[Any]:
    """Return raw inputs, as the data set reads them from a file, of rows and their columns if these have names."""
    names = model.dataset.column_names()
    if names is None:
        if columns is not None and frame_columns(rows) is None:
            shape = ", ".join(map(str, ("rows", *model.network.input_shape)))
            raise UsageError(f"the model doesn't take named columns; expected an array, such as one of shape ({shape})")
        return number_array(rows, "rows")  # type: ignore[arg-type]  # whatever it is
    if columns is None:
        try:
            columns = columns_by_position(rows, names)
        except ShapeError as error:
            if getattr(rows, "shape", ())[1:] != model.network.input_shape:
                raise
            remedy = "if these rows are encoded already, pass them to model.network.predict"
            raise ShapeError(error.message, expected=error.expected, remedy=remedy) from error
    if not columns or not len(next(iter(columns.values()))):
        raise UsageError("no rows are given; expected at least one")
    return model.dataset.from_columns(columns)


def _encoded(model: TrainedModel, place: str | Path, raw: NDArray[Any]) -> NDArray[Any]:
    """Encode raw inputs; those that don't fit are a ``DataError`` if they come from a file, or a ``ShapeError``."""
    expected = model.network.input_shape
    try:
        x = model.dataset.encode(raw)
        if x.shape == expected:
            x = x[None]
        if x.shape[1:] != expected or not len(x):
            what = f"holds an array of shape {raw.shape}" if isinstance(place, Path) else f"have the shape {raw.shape}"
            raise DataError(place, f"{what}; expected {shape_of_rows(expected)}, with at least one row")
    except ShapeError as error:
        if isinstance(place, Path):  # the data set doesn't know which file it is about
            raise DataError(place, str(error)) from error
        raise
    names = model.dataset.feature_names() if x.ndim == 2 else None
    require_finite(place, x, "gives the network {value}; expected finite numbers", names)
    return x


def require_finite(place: str | Path, rows: NDArray[Any], message: str, names: Sequence[str] | None = None) -> None:
    """Raise ``DataError`` with a message, in which ``{value}`` is the number, if one of some rows isn't finite."""
    finite = np.isfinite(rows)
    if not finite.all():
        position = np.unravel_index(int((~finite).argmax()), rows.shape)
        where = f"row {position[0]}, counted from 0, " + (f"column '{names[int(position[1])]}', " if names else "")
        raise DataError(place, where + message.format(value=rows[position]))
