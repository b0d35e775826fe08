"""The splits of a table: their rows, keys that decide them, warnings, and examples, encoded once or by minibatch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataWarning
from mlpkit_plugins.arrays.raw_rows import holds, too_large
from mlpkit_plugins.kernels import take_rows
from mlpkit_plugins.splits.positions import (
    scattered,
    split_at_random,
    split_by_class,
    split_by_group,
    split_by_key,
    split_by_time,
    text_key,
)
from mlpkit_plugins.splits.shares import Shares, warnings_about_shares
from mlpkit_plugins.tables.encoder import TableEncoder
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


MOST_HELD: Final = 2**26
"""The most bytes of encoded rows that a split keeps."""
ROWS_TOGETHER: Final = 65_536
"""Rows encoded at once."""


class TableSplit:
    """Some rows of a table, whose codes are translated to the encoder's."""

    def __init__(self, table: Table, rows: Array, encoder: TableEncoder) -> None:
        self.table = table
        self.rows = rows
        self._encoder = encoder
        self._inputs = len(encoder.numbers)
        self._encoded: dict[tuple[np.dtype[Any], ...], tuple[Array, ...]] = {}

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.rows)

    def rows_in_file(self, indices: Array | None = None) -> list[int]:
        """Return the row numbers in the file, counted from 1, of all rows or of some positions of the split."""
        rows = self.rows if indices is None else self.rows.take(indices)
        numbers: list[int] = self.table.rows[rows].tolist()
        return numbers

    def take(self, indices: Array, out: tuple[Array, ...]) -> None:
        """Write the examples at ``indices`` into ``out``.

        The first call encodes all examples, and keeps them if they aren't large.

        Args:
            indices: positions in this split, in any order, repeats allowed.
            out: arrays for inputs, shape (rows, width); for targets, shape (rows,) for classes, otherwise (rows,
                columns); and for weights, shape (rows,), if the table has them.

        Raises:
            DataError: a number of the table is too large for the dtype of ``out``.
        """
        dtypes = tuple(array.dtype for array in out)
        if dtypes not in self._encoded:
            self._check_range(out[0].dtype, out[1].dtype)
            self._encoded[dtypes] = self._all_encoded(out)
        encoded = self._encoded[dtypes]
        if not encoded:
            self._encode(self.rows.take(indices), out)
        for array, all_rows in zip(out, encoded, strict=False):
            take_rows(all_rows, indices, array)

    def _all_encoded(self, like: tuple[Array, ...]) -> tuple[Array, ...]:
        """Encode all examples into arrays like those of a minibatch; return no arrays if they would be large."""
        if len(self) * sum(array[:1].nbytes for array in like) > MOST_HELD:
            return ()
        encoded = tuple(np.empty((len(self), *array.shape[1:]), array.dtype) for array in like)
        for begin in range(0, len(self), ROWS_TOGETHER):
            some = slice(begin, begin + ROWS_TOGETHER)
            self._encode(self.rows[some], tuple(array[some] for array in encoded))
        return encoded

    def _encode(self, rows: Array, out: tuple[Array, ...]) -> None:
        """Write the examples of these rows of the table into ``out``."""
        x, t, *weights = out
        numbers, codes = self.table.numbers.take(rows, axis=0), self.table.codes.take(rows, axis=0)
        self._encoder.write(numbers[:, : self._inputs], codes, x)
        t[...] = codes[:, -1] if self.table.columns.target_class is not None else numbers[:, self._inputs :]
        if weights and self.table.weights is not None:
            weights[0][...] = self.table.weights.take(rows)

    def _check_range(self, inputs: np.dtype[Any], targets: np.dtype[Any]) -> None:
        """Check that the extremes of all scaled columns fit into these dtypes."""
        numbers, count = self.table.numbers, self._inputs
        extremes = np.stack([np.fmin.reduce(numbers, axis=0), np.fmax.reduce(numbers, axis=0)])
        scaled = extremes.copy()
        scaled[:, :count] = self._largest(extremes[:, :count])
        wrong = ~np.concatenate([holds(inputs, scaled[:, :count]), holds(targets, scaled[:, count:])], axis=1)
        wrong &= ~np.isnan(extremes)
        if wrong.any():
            which, column = map(int, np.argwhere(wrong)[0])
            dtype = inputs if column < count else targets
            message = too_large(dtype, extremes[which, column], scaled[which, column], "leave out the row")
            position = int((numbers[:, column] == extremes[which, column]).argmax())
            raise self.table.error(position, self.table.columns.all_numbers[column], message)

    def _largest(self, extremes: Array) -> Array:
        """Return the largest encoded element of each extreme number, shape (2, columns)."""
        of_categories = np.repeat(self._encoder.fills[None, self._inputs :], len(extremes), axis=0)
        encoded = self._encoder.encoded_numbers(np.concatenate([extremes, of_categories], axis=1))
        largest, begin = np.zeros_like(extremes), 0
        for name, features in self._encoder.number_features:
            if name in self._encoder.numbers:
                elements = encoded[:, begin : begin + len(features)]
                farthest = np.abs(elements).argmax(axis=1)[:, None]
                column = self._encoder.numbers.index(name)
                largest[:, column] = np.take_along_axis(elements, farthest, axis=1)[:, 0]
            begin += len(features)
        return largest
