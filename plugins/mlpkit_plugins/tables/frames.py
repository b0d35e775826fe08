"""Data frames as columns, and the kind of values in them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Literal, TypeAlias

import numpy as np

from mlpkit import Array, DataError
from mlpkit_plugins.tables.memory_source import is_missing

Held: TypeAlias = Literal["numbers", "categories", "dates"]


def is_frame(values: object) -> bool:
    """Whether an object has named columns: a dict of columns, or a data frame of pandas, Polars or Arrow."""
    return isinstance(values, Mapping) or (hasattr(values, "columns") and hasattr(values, "__getitem__"))


def names_in(frame: Any) -> list[Any]:
    """Return the names of a frame's columns."""
    names = getattr(frame, "column_names", None)  # Arrow's; its ``columns`` are the values
    return list(frame if isinstance(frame, Mapping) else frame.columns if names is None else names)


def columns_in(frame: Any, source: str) -> dict[str, Array]:
    """Return the columns of a frame.

    Args:
        frame: the frame.
        source: its name in messages.

    Raises:
        DataError: two columns have the same name, or a column isn't one-dimensional.
    """
    columns: dict[str, Array] = {}
    for name in names_in(frame):
        if str(name) in columns or names_in(frame).count(name) > 1:
            raise DataError(source, "two columns have this name; rename one", column=str(name))
        columns[str(name)] = _array(frame[name])
    lengths = {name: values.shape for name, values in columns.items()}
    for name, shape in lengths.items():
        if len(shape) != 1 or shape != next(iter(lengths.values())):
            raise DataError(source, f"the column has the shape {shape}; expected a value for each row", column=name)
    return columns


def held_in(values: Array, name: str, source: str) -> Held:
    """Return what a column holds: numbers, which include truth values; texts, which are categories; or dates.

    Raises:
        DataError: it holds something else.
    """
    if values.dtype.kind in "biuf":
        return "numbers"
    if values.dtype.kind == "M":
        return "dates"
    if values.dtype.kind not in "OUT":
        raise DataError(source, f"the column holds {values.dtype}; turn it into numbers or texts", column=name)
    present = [value for value in values.tolist() if not is_missing(value)]
    if present and all(isinstance(value, Real | np.bool_) for value in present):
        return "numbers"
    return "dates" if present and all(isinstance(value, datetime.date) for value in present) else "categories"


def ordered_categories(frame: Any) -> dict[str, list[str]]:
    """Return the ordered categorical columns of a pandas frame, each with its categories, lowest first."""
    if not hasattr(frame, "dtypes"):
        return {}
    dtypes: dict[str, Any] = {str(name): getattr(frame[name], "dtype", None) for name in names_in(frame)}
    return {
        name: list(map(str, dtype.categories))
        for name, dtype in dtypes.items()
        if getattr(dtype, "ordered", None) is True and len(dtype.categories)
    }


def row_labels(frame: Any) -> Sequence[Any] | None:
    """Return the index of a pandas frame; None without an index, or if it counts the rows from 0."""
    index: Any = getattr(frame, "index", None)
    labels = index.tolist() if hasattr(index, "tolist") else None
    return None if labels is None or labels == list(range(len(labels))) else labels


def _array(column: Any) -> Array:
    try:
        return np.asarray(column)
    except ValueError:  # lists of several lengths
        return np.array([*column], object)
