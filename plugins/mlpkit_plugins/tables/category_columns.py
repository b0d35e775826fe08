"""The columns of categories of a table, each with its encoding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlpkit import Array, FittedCategoryEncoding, InputColumn

MOST_TRIED: Final = 1000
"""As many categories show what an encoding writes."""


class CategoryColumn(NamedTuple):
    """A column of categories.

    Args:
        place: its place among the columns of categories.
        elements: the places of what it becomes, among the elements of columns that hold the same.
        features: their names.
        encoding: its encoding.
    """

    place: int
    elements: slice
    features: tuple[str, ...]
    encoding: FittedCategoryEncoding


@dataclass(frozen=True)
class CategoryColumns:
    """The columns of categories of a table, which are written in groups: those that become numbers, and so on.

    Args:
        encodings: the encoding of each column, in the order of the columns.
        constant: the columns that are left out, since all training rows have the same category.
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
        """The columns that become elements which say which category it is."""
        return self._that_hold("one_hot")

    @cached_property
    def indices(self) -> tuple[CategoryColumn, ...]:
        """The columns that become indices."""
        return self._that_hold("categories")

    def beside(self, numbers: NDArray[np.float64], codes: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return numbers, and beside them those that columns of categories become, NaN where one is missing.

        Args:
            numbers: the columns of numbers, shape (rows, columns).
            codes: the codes of the columns of categories, shape (rows, columns).
        """
        if not self.numbers:
            return numbers
        found = np.empty((len(codes), len(features_of(self.numbers))))
        write(self.numbers, codes, found)
        return np.concatenate([numbers, found], axis=1)

    def _that_hold(self, holds: str) -> tuple[CategoryColumn, ...]:
        found, end = [], 0
        for place, each in enumerate(self.encodings):
            if each.encoding.holds == holds and each.column not in self.constant:
                features = each.features()
                begin, end = end, end + len(features)
                found.append(CategoryColumn(place, slice(begin, end), features, each))
        return tuple(found)


def features_of(columns: tuple[CategoryColumn, ...]) -> tuple[str, ...]:
    """Return the names of the elements that columns of one group become."""
    return tuple(chain(*(column.features for column in columns)))


def inputs_of(columns: tuple[CategoryColumn, ...]) -> list[InputColumn]:
    """Return what columns of one group are in an example."""
    return list(chain(*(column.encoding.inputs() for column in columns)))


def write(columns: tuple[CategoryColumn, ...], codes: NDArray[np.int32], out: Array) -> None:
    """Write what columns of one group become.

    Args:
        columns: the columns.
        codes: the codes of all columns of categories, -1 for a missing or an unknown one, shape (rows, columns).
        out: where to write, shape (rows, elements of the group).
    """
    for place, elements, _, encoding in columns:
        out[:, elements] = encoding.encode(codes[:, place])


def why_not_one_hot(columns: tuple[CategoryColumn, ...], rows: Array) -> str:
    """Return why rows clearly don't come from columns that ``write`` makes 0, 1 or -1; empty if they may.

    Args:
        columns: one-hot columns.
        rows: what seems to be written for them, shape (rows, elements of the group).
    """
    for _, elements, features, encoding in columns:
        written = encoding.encode(np.arange(-1, min(len(encoding.categories), MOST_TRIED)))
        wrong = np.argwhere((rows[:, elements] != 0) & (np.abs(rows[:, elements]) != 1))
        if len(wrong) and np.isin(written, (0, 1, -1)).all():
            row, column = wrong[0]
            value = rows[:, elements][row, column]
            return f"row {row}, counted from 0, has {value:g} for '{features[column]}', but encoding writes 0 or 1"
    return ""
