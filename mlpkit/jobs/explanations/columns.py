"""The raw columns that a network's inputs belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
