"""Numbers for the rows of a table that depend on their values, or on those of a key, and rows that are copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array
from mlpkit_plugins.splits.by_key import scattered, text_key
from mlpkit_plugins.splits.shares import Shares
from mlpkit_plugins.tables.table import Table, parts


def text_keys(table: Table) -> list[NDArray[np.uint64]]:
    """Return a key for each code of each column of texts, the same in any table; the last key is for a missing text."""
    return [np.array([text_key(text) for text in (*texts, "")], np.uint64) for texts in table.texts]


def row_keys(table: Table) -> NDArray[np.uint64]:
    """Return a key for each row, from its key column or else from all its values.

    The order of the columns doesn't matter, and CSV and Parquet files of the same table have the same keys.
    """
    if table.keys is not None:
        return table.keys
    keys = np.zeros(len(table), np.uint64)
    names = [np.uint64(text_key(name)) for name in (*table.columns.all_numbers, *table.columns.all_categories)]
    of_texts = text_keys(table)
    with np.errstate(over="ignore"):
        for part in parts(len(table), len(names)):
            numbers = np.where(np.isnan(table.numbers[part]), np.nan, table.numbers[part] + 0.0)  # one NaN, one zero
            bits = [column.view(np.uint64) for column in numbers.T.copy()]
            bits += [of_text[codes] for of_text, codes in zip(of_texts, table.codes[part].T, strict=True)]
            for name, values in zip(names, bits, strict=True):
                keys[part] += scattered(scattered(values) + name)
    return keys


FEW_COPIES: Final = 5
"""Up to this number, copies stay together even in a class of few rows."""

ONCE: Final = 1 - 1e-9
"""One expected row, with a margin for rounding."""


def keys_of_examples(tables: Sequence[Table], shares: Shares) -> NDArray[np.uint64]:
    """Return a key for each row by its values, which only copies of one example share.

    Equal rows count as copies unless one of these applies:

    - Chance explains them. In the m other rows, the row's values have the shares p1, p2, ... of their columns. With
      independent columns, m * p1 * p2 * ... rows are expected to equal this row; at 1 or more, repeats are no surprise.
    - There are too many of them. If they are more than half of the rows that validation or test gets of their class,
      they can't be in one split without changing its shares.
    """
    keys = np.concatenate([row_keys(table) for table in tables])
    in_order = np.sort(keys)
    if not (in_order[1:] == in_order[:-1]).any():
        return keys
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.concatenate([[True], in_order[1:] != in_order[:-1]]))
    counts = np.diff(begins, append=len(keys))
    repeated = np.flatnonzero(counts > 1)
    firsts, counts = order[begins[repeated]], counts[repeated]
    columns = _columns(tables)
    classes = columns[-1] if tables[0].columns.target_class is not None else np.zeros(len(keys), np.int8)
    are_many = counts > np.maximum(FEW_COPIES, _held_out(classes, firsts, shares) / 2)
    single = repeated[are_many | _are_by_chance(columns, firsts, counts)]
    if len(single):
        number = np.arange(len(keys)) - np.repeat(begins, np.diff(begins, append=len(keys)))
        separate = np.isin(in_order, in_order[begins[single]]) & (number > 0)
        keys[order[separate]] = scattered(in_order[separate] + number[separate].astype(np.uint64))
    return keys


def _columns(tables: Sequence[Table]) -> list[Array]:
    """Return the columns of the concatenated tables: numbers, and a code or key for each text."""
    if len(tables) == 1:
        return [*tables[0].numbers.T, *tables[0].codes.T]
    texts = [[of[codes] for of, codes in zip(text_keys(table), table.codes.T, strict=True)] for table in tables]
    numbers = np.concatenate([table.numbers for table in tables])
    return [*numbers.T, *map(np.concatenate, zip(*texts, strict=True))]


def _held_out(classes: Array, rows: NDArray[np.intp], shares: Shares) -> NDArray[np.float64]:
    """Return how many rows of each row's class the smaller of validation and test receives."""
    share = min((share for share in shares if share), default=1.0)
    _, numbers, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    return np.float64(share) * sizes[numbers[rows]].astype(np.float64)


def _are_by_chance(columns: Sequence[Array], rows: NDArray[np.intp], counts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return for which rows chance explains that so many, themselves included, are equal."""
    others = len(columns[0]) - counts
    expected = others.astype(np.float64)
    for column in columns:
        left = np.flatnonzero(expected >= ONCE)
        if not len(left):
            break
        values, in_order = column[rows[left]], np.sort(column)
        begins, ends = (np.searchsorted(in_order, values, side) for side in ("left", "right"))
        expected[left] *= (ends - begins - counts[left]) / others[left]
    return expected >= ONCE
