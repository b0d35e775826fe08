"""Rows in memory (dicts, data frames, lists, arrays) as columns with names."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from mlpkit.components.schema.wording import counted
from mlpkit.errors import ShapeError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column: TypeAlias = Sequence[Any] | NDArray[Any]
    Columns: TypeAlias = Mapping[str, Column]
    """Values by the name of their column: lists, or arrays of one dimension, of one length."""

MOST_NAMES_SHOWN: Final = 20


def named_columns(rows: object) -> Columns | None:
    """Return the columns of rows whose values have names; None if they have none.

    Args:
        rows: a dict of columns, a list of dicts, a data frame (of pandas, Polars or Arrow), or a structured array.

    Raises:
        UsageError: columns differ in length, or are no sequences; or one of the rows is no dict.
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
    """Return what a data frame calls its columns; None if it is no data frame."""
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
    """Return the columns of rows whose values have no names, but stand in the order of the columns.

    Args:
        rows: an array of two dimensions, or a list of rows.
        names: the names of the columns.

    Raises:
        ShapeError: there are more or fewer columns.
    """
    if isinstance(rows, list | tuple) and all(isinstance(row, list | tuple) for row in rows):
        for number, row in enumerate(rows):
            if len(row) != len(names):
                raise ShapeError(
                    f"row {number}, counted from 0, has {counted(len(row), 'value')}", expected=_all(names)
                )
        return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else dict.fromkeys(names, ())
    array = np.asarray(rows)
    if array.ndim == 0:
        expected = "a file name, a list of dicts, a dict of columns, a data frame, or an array of two dimensions"
        raise UsageError(f"rows can't be {reprlib.repr(rows)}; expected {expected}")
    if array.ndim == 1 and len(names) == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise ShapeError(f"an array of shape {array.shape} doesn't fit the table", expected=f"rows of {_all(names)}")
    return dict(zip(names, array.T, strict=True))


def _all(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES_SHOWN]) + (", ..." if len(names) > MOST_NAMES_SHOWN else "")
    return f"{counted(len(names), 'value')}: {shown}"


def _sequence(name: str, values: Any) -> Column:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        kind = f"the single value {values!r}" if not isinstance(values, Mapping) else "a dict"
        remedy = "give one row as a list that holds its dict: [{...}]"
        raise UsageError(f"the column '{name}' is {kind}; expected a list, with a value for each row; {remedy}")
    return values if isinstance(values, list | tuple) else _flat(name, np.asarray(values))


def _of_frame(frame: Any, names: Sequence[Any]) -> Columns:
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two columns of the data frame are called '{name}'; rename one, or leave it out")
    return {str(name): _flat(str(name), np.asarray(frame[name])) for name in names}


def _flat(name: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.ndim != 1:
        expected = "expected one value for each row"
        raise UsageError(f"the column '{name}' has values of shape {values.shape}; {expected}")
    return values


def _of_dicts(rows: Sequence[Any]) -> Columns:
    names: dict[str, None] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise UsageError(f"row {number}, counted from 0, is {row!r}; expected a dict, as other rows are")
        names.update(dict.fromkeys(map(str, row)))
    return {name: [row.get(name) for row in rows] for name in names}


def _of_one_length(columns: Columns) -> Columns:
    lengths = {name: len(values) for name, values in columns.items()}
    for name, length in lengths.items():
        first = next(iter(lengths))
        if length != lengths[first]:
            has = f"the column '{name}' has {counted(length, 'value')}, but '{first}' {lengths[first]:,}"
            raise UsageError(f"{has}; expected as many in each column")
    return columns
