"""The columns of a table, and consecutive rows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit_plugins.tables.readers import ColumnReader


@dataclass(frozen=True)
class Columns:
    """The columns to read from a table, by name, in the order of the table.

    Args:
        numbers: inputs that are numbers.
        categories: inputs that are categories.
        target_numbers: targets that are numbers; empty if classes are predicted.
        target_class: the column of classes to predict; None if numbers are predicted, or there is no target.
        key: the column whose text decides the split of a row.
        key_is_time: whether the key column holds times, and rows are split in their order.
        readers: how the texts of some columns of numbers are read; all others hold plain numbers.
        trained: whether a trained model reads them, so that advice can't be about the parameters of the data set.
        weight: the column of weights; None if all rows count equally, or are for prediction.
        in_python: whether the table was passed to ``mlpkit.fit``, so that advice is about its arguments.
        missing_numbers: the numbers that mean a missing value in single columns of numbers.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    target_numbers: tuple[str, ...] = ()
    target_class: str | None = None
    key: str | None = None
    key_is_time: bool = False
    readers: Mapping[str, ColumnReader] = field(default_factory=dict)
    trained: bool = False
    weight: str | None = None
    in_python: bool = False
    missing_numbers: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def setting(self, parameter: str, value: str) -> str:
        """Return the advice to set a parameter: in a spec, or as an argument of ``mlpkit.fit``."""
        return f"pass {parameter}={value!r} to mlpkit.fit" if self.in_python else f"set {parameter}: {value}"

    def name_in_file(self, name: str) -> str:
        """Return the column of the file from which a column of numbers is made."""
        return self.readers[name].column if name in self.readers else name

    @property
    def names_in_file(self) -> tuple[str, ...]:
        """The columns of the file: numbers, texts, weight and key."""
        others = [name for name in (self.weight, self.key) if name is not None]
        return (*map(self.name_in_file, self.all_numbers), *self.all_categories, *others)

    @property
    def has_target(self) -> bool:
        """Whether a target is read; rows for prediction don't need one."""
        return bool(self.target_numbers) or self.target_class is not None

    @property
    def all_numbers(self) -> tuple[str, ...]:
        """The columns of numbers, inputs first."""
        return self.numbers + self.target_numbers

    @property
    def all_categories(self) -> tuple[str, ...]:
        """The columns of texts, inputs first."""
        return self.categories + ((self.target_class,) if self.target_class is not None else ())


class Chunk(NamedTuple):
    """Some consecutive rows.

    Args:
        rows: the number of each row in the file, counted from 1.
        numbers: the columns of numbers, shape (rows, columns); NaN for missing values.
        codes: the columns of texts, shape (rows, columns), as codes of their codebooks.
        keys: a hash of the text in the key column for each row, or the bits of its time in seconds; None if there is
            no key column.
        weights: the weight of each row, NaN for missing ones; None if there is no column of weights.
    """

    rows: NDArray[np.int64]
    numbers: NDArray[np.float64]
    codes: NDArray[np.int32]
    keys: NDArray[np.uint64] | None
    weights: NDArray[np.float64] | None

    def rows_where(self, kept: NDArray[np.bool_]) -> Chunk:
        """Return some of the rows."""
        keys = None if self.keys is None else self.keys[kept]
        weights = None if self.weights is None else self.weights[kept]
        return Chunk(self.rows[kept], self.numbers[kept], self.codes[kept], keys, weights)
