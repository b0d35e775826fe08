"""A split of a table, encoded once, or minibatch by minibatch if it is large."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpkit import Array
from mlpkit_plugins.kernels import take_rows
from mlpkit_plugins.splits.split_warnings import holds, too_large
from mlpkit_plugins.tables.encoder import TableEncoder
from mlpkit_plugins.tables.table import Table

MOST_HELD = 2**26
"""The most bytes of encoded rows that a split keeps."""
ROWS_TOGETHER = 65_536
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
