"""Which equal rows of a table are copies of one example, and which only have few values to differ in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit_plugins.splits.by_key import scattered
from mlpkit_plugins.tables.row_keys import row_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit_plugins.splits.shares import Shares
    from mlpkit_plugins.tables.table import Table

FEW_COPIES: Final = 5
"""So many copies stay together however few rows their class has."""

ONCE: Final = 1 - 1e-9
"""One row, by a product that is rounded."""


def keys_of_examples(table: Table, shares: Shares) -> NDArray[np.uint64]:
    """Return a key for each row by its values; only copies of one example have the same.

    Equal rows count as copies unless there is another reason for them:

    - Chance. In m other rows, the row's values have the shares p1, p2, ... of their columns. If each column drew its
      values alone, m * p1 * p2 * ... of them would be equal to this row; from 1 on, that explains its repeats.
    - Their number. If they are more than half of what validation or test gets of their class, so many can't be in one
      split without changing its shares.

    Args:
        table: the table.
        shares: which part makes which split.
    """
    keys = row_keys(table)
    in_order = np.sort(keys)
    if not (in_order[1:] == in_order[:-1]).any():
        return keys
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.concatenate([[True], in_order[1:] != in_order[:-1]]))
    counts = np.diff(begins, append=len(keys))
    repeated = np.flatnonzero(counts > 1)
    firsts, counts = order[begins[repeated]], counts[repeated]
    are_many = counts > np.maximum(FEW_COPIES, _held_out(table, firsts, shares) / 2)
    single = repeated[are_many | _are_by_chance(table, firsts, counts)]
    if len(single):
        number = np.arange(len(keys)) - np.repeat(begins, np.diff(begins, append=len(keys)))
        apart = np.isin(in_order, in_order[begins[single]]) & (number > 0)
        keys[order[apart]] = scattered(in_order[apart] + number[apart].astype(np.uint64))
    return keys


def _held_out(table: Table, rows: NDArray[np.intp], shares: Shares) -> NDArray[np.float64]:
    """Return how many rows of each row's class the smaller of validation and test gets; of all rows without classes."""
    share = min((share for share in shares if share), default=1.0)
    if table.columns.target_class is None:
        return np.full(len(rows), share * len(table))
    classes = table.codes[:, -1]
    sizes = np.bincount(classes)[classes[rows]].astype(np.float64)
    return share * sizes


def _are_by_chance(table: Table, rows: NDArray[np.intp], counts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which rows, so many equal ones each, chance would make at least once of the values of all others."""
    others = len(table) - counts
    expected = others.astype(np.float64)
    columns: list[NDArray[Any]] = [*table.numbers.T, *table.codes.T]
    for column in columns:
        left = np.flatnonzero(expected >= ONCE)
        if not len(left):
            break
        values, in_order = column[rows[left]], np.sort(column)
        begins, ends = (np.searchsorted(in_order, values, side) for side in ("left", "right"))
        expected[left] *= (ends - begins - counts[left]) / others[left]
    return expected >= ONCE
