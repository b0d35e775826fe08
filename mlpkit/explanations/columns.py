"""The raw columns that a network's inputs belong to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows


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


def with_rows_from(raw: RawRows, source: RawRows, orders: Mapping[int, NDArray[np.intp]]) -> RawRows:
    """Return rows in which some columns hold the values of other rows.

    Args:
        raw: the rows.
        source: the rows that values are taken from.
        orders: for each such column, by its number, the position in ``source`` that each row's value is from.
    """
    if isinstance(raw, Mapping) and isinstance(source, Mapping):
        return {
            name: [source[name][i] for i in orders[column]] if column in orders else values
            for column, (name, values) in enumerate(raw.items())
        }
    assert isinstance(raw, np.ndarray)
    assert isinstance(source, np.ndarray)
    flat, other = raw.reshape(len(raw), -1).copy(), source.reshape(len(source), -1)
    for column, order in orders.items():
        flat[:, column] = other[order, column]
    return flat.reshape(raw.shape)


def binary_digits(columns: int) -> int:
    """Return how many binary digits the numbers of columns have."""
    return (columns - 1).bit_length()


def column_of_inputs(columns: int, x: Array, changed: Callable[[Collection[int]], Array]) -> NDArray[np.intp] | None:
    """Return the number of the column that each input belongs to, -1 if no column changes it; None if several do.

    Rows aren't encoded once per column, but twice per binary digit of a column's number: with the columns changed that
    have a 0 there, and with the ones that have a 1. The inputs that change show which column each belongs to.

    Args:
        columns: how many columns there are.
        x: the inputs, shape (rows, inputs).
        changed: returns the inputs with the columns of some numbers changed.
    """
    found, moved = np.zeros(x.shape[1], np.intp), np.zeros(x.shape[1], bool)
    for digit in range(max(1, binary_digits(columns))):
        with_zeros, with_ones = (
            (changed([i for i in range(columns) if i >> digit & 1 == value]) != x).any(axis=0) for value in (0, 1)
        )
        if (with_zeros & with_ones).any():
            return None
        found |= with_ones.astype(np.intp) << digit
        moved |= with_zeros | with_ones
    return np.where(moved, found, -1)


def column_of_varying_inputs(
    encode: Callable[[Any], Array], reference: RawRows, *samples: RawRows
) -> NDArray[np.intp] | None:
    """Return ``column_of_inputs`` for all inputs that differ between two of the rows, -1 for the others.

    Where a column holds the value of the first reference row in all rows, its inputs change if they differ in any.

    Args:
        encode: returns the network's inputs for raw rows, shape (rows, inputs).
        reference: some rows.
        samples: further rows, perhaps of other types: a column is never made of values from two of them.
    """
    every = [reference, *samples]
    x = [encode(raw) for raw in every]

    def changed(columns: Collection[int]) -> Array:
        if not columns:
            return np.concatenate(x)
        parts = []
        for raw, rows in zip(every, map(len, x), strict=True):
            first = dict.fromkeys(columns, np.zeros(rows, np.intp))
            parts.append(encode(with_rows_from(raw, reference, first)))
        return np.concatenate(parts)

    return column_of_inputs(columns_in(reference), np.concatenate(x), changed)
