"""The rows of each split of a table, keys that decide it, and warnings about splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataWarning
from mlpkit_plugins.splits.by_key import scattered, split_by_key, text_key
from mlpkit_plugins.splits.by_position import split_at_random
from mlpkit_plugins.splits.by_rank import split_by_class, split_by_group, split_by_time
from mlpkit_plugins.splits.shares import Shares
from mlpkit_plugins.splits.split_warnings import warnings_about_shares
from mlpkit_plugins.tables.options import TableOptions
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


REMEDIES: Final = {
    "stratified": "set split: shuffle to split copies of a row, too",
    "hash": "set split: stratified",
    "shuffle": "set split: stratified",
    "group": "set larger shares in validation and test, or name a column with more groups",
    "time": "set larger shares in validation and test, or split: stratified if time doesn't matter",
}
"""What to do about splits with different shares of a class."""


class Part(NamedTuple):
    """A split before it is encoded: the positions of its rows in a table."""

    table: Table
    rows: Array


def split_rows(table: Table, options: TableOptions) -> Mapping[str, NDArray[np.intp]]:
    """Return the positions of each split of the table, without the splits that have a separate file."""
    shares, seed, classes = options.shares, options.split_seed, table.columns.target_class is not None
    if isinstance(options.split, dict) and table.keys is not None:
        if options.splits_by_time:
            return split_by_time(table.keys.view(np.float64), shares)
        return split_by_group(table.keys, shares, seed)
    if options.split == "stratified" and options.split_by is None and any(shares):
        keys = keys_of_examples([table], shares)
        return split_by_class(keys, table.codes[:, -1], shares, seed) if classes else split_by_key(keys, shares, seed)
    if options.split == "shuffle":
        positions = split_at_random(len(table), shares, seed)
    else:
        positions = split_by_key(row_keys(table), shares, seed)
    return _move_lonely_classes(positions, table.codes[:, -1]) if classes and table.keys is None else positions


def warnings_about_split(
    parts: Mapping[str, Part], options: TableOptions, classes: Sequence[str] | None
) -> tuple[DataWarning, ...]:
    """Return a warning if splits don't have the sizes asked for, or differ from training in the shares of a class."""
    counts = {
        name: np.array([len(part.rows)])
        if classes is None
        else np.bincount(part.table.codes[part.rows, -1], minlength=len(classes))
        for name, part in parts.items()
    }
    rule = next(iter(options.split)) if isinstance(options.split, dict) else options.split
    remedy = REMEDIES["group" if options.split_by is not None else rule]
    return warnings_about_shares(counts, classes or (), options.shares, options.own_tables, remedy)


def _move_lonely_classes(
    positions: Mapping[str, NDArray[np.intp]], classes: NDArray[np.int32]
) -> Mapping[str, NDArray[np.intp]]:
    """Move rows that are the only one of their class to training."""
    lonely = np.flatnonzero(np.bincount(classes)[classes] == 1)
    if not len(lonely):
        return positions
    held_out = {name: np.setdiff1d(rows, lonely) for name, rows in positions.items() if name != "train"}
    return {"train": np.union1d(positions["train"], lonely), **held_out}
