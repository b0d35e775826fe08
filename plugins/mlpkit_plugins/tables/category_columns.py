"""The columns of categories of a table, each with its encoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, FittedCategoryEncoding, InputColumn

MOST_TRIED: Final = 1000
"""The most categories that are encoded to see which values an encoding writes."""


class CategoryColumn(NamedTuple):
    """A column of categories.

    Args:
        place: its position in the columns of categories.
        elements: the positions of its features in those of its group.
        features: their names.
        encoding: its encoding.
    """

    place: int
    elements: slice
    features: tuple[str, ...]
    encoding: FittedCategoryEncoding


@dataclass(frozen=True)
class CategoryColumns:
    """The columns of categories of a table, in groups: columns that become numbers, one-hot features or indices.

    Args:
        encodings: the encoding of each column, in the order of the columns.
        constant: the columns left out because all training rows have the same category.
    """

    encodings: tuple[FittedCategoryEncoding, ...] = ()
    constant: tuple[str, ...] = ()

    @cached_property
    def categories(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the columns, each with its categories."""
        return {each.column: each.categories for each in self.encodings}

    @cached_property
    def numbers(self) -> tuple[CategoryColumn, ...]:
        """The columns that become numbers."""
        return self._that_hold("numbers")

    @cached_property
    def one_hot(self) -> tuple[CategoryColumn, ...]:
        """The columns that become one-hot features."""
        return self._that_hold("one_hot")

    @cached_property
    def indices(self) -> tuple[CategoryColumn, ...]:
        """The columns that become indices."""
        return self._that_hold("categories")

    def append_to(self, numbers: NDArray[np.float64], codes: NDArray[np.int32]) -> NDArray[np.float64]:
        """Append the columns of categories that become numbers, NaN for missing ones, to the columns of numbers.

        Args:
            numbers: the columns of numbers, shape (rows, columns).
            codes: the codes of the columns of categories, shape (rows, columns).
        """
        if not self.numbers:
            return numbers
        encoded = np.empty((len(codes), len(features_of(self.numbers))))
        write(self.numbers, codes, encoded)
        return np.concatenate([numbers, encoded], axis=1)

    def _that_hold(self, holds: str) -> tuple[CategoryColumn, ...]:
        group, end = [], 0
        for place, each in enumerate(self.encodings):
            if each.encoding.holds == holds and each.column not in self.constant:
                features = each.features()
                begin, end = end, end + len(features)
                group.append(CategoryColumn(place, slice(begin, end), features, each))
        return tuple(group)


def features_of(columns: tuple[CategoryColumn, ...]) -> tuple[str, ...]:
    """Return the names of the features of a group of columns."""
    return tuple(chain(*(column.features for column in columns)))


def inputs_of(columns: tuple[CategoryColumn, ...]) -> list[InputColumn]:
    """Return the parts of an example that a group of columns becomes."""
    return list(chain(*(column.encoding.inputs() for column in columns)))


def write(columns: tuple[CategoryColumn, ...], codes: NDArray[np.int32], out: Array) -> None:
    """Write the features of a group of columns.

    Args:
        columns: the columns.
        codes: the codes of all columns of categories, -1 for a missing or unknown one, shape (rows, columns).
        out: the array to write to, shape (rows, features of the group).
    """
    for place, elements, _, encoding in columns:
        out[:, elements] = encoding.encode(codes[:, place])


def why_not_one_hot(columns: tuple[CategoryColumn, ...], rows: Array) -> str:
    """Return why rows can't come from columns that ``write`` makes 0, 1 or -1; empty if they may.

    Args:
        columns: one-hot columns.
        rows: features that are supposed to be theirs, shape (rows, features of the group).
    """
    for _, elements, features, encoding in columns:
        written = encoding.encode(np.arange(-1, min(len(encoding.categories), MOST_TRIED)))
        wrong = np.argwhere((rows[:, elements] != 0) & (np.abs(rows[:, elements]) != 1))
        if len(wrong) and np.isin(written, (0, 1, -1)).all():
            row, column = wrong[0]
            value = rows[:, elements][row, column]
            return f"row {row}, counted from 0, has {value:g} for '{features[column]}', but encoding writes 0 or 1"
    return ""
