"""The rows of each split of a table, and warnings about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataWarning
from mlpkit_plugins.splits.by_key import split_by_key
from mlpkit_plugins.splits.by_position import split_at_random
from mlpkit_plugins.splits.by_rank import split_by_class, split_by_group, split_by_time
from mlpkit_plugins.splits.split_warnings import warnings_about_shares
from mlpkit_plugins.tables.options import TableOptions
from mlpkit_plugins.tables.row_keys import keys_of_examples, row_keys
from mlpkit_plugins.tables.table import Table

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
