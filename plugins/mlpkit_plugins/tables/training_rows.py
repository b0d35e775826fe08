"""The training rows of a table, some at a time: what an encoder is fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit import FittedEncoding, TrainingCategories, TrainingColumns
from mlpkit_plugins.tables.category_columns import CategoryColumns, features_of, write
from mlpkit_plugins.tables.codebook import MISSING
from mlpkit_plugins.tables.parts import parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mlpkit import Array, Encoding
    from mlpkit_plugins.tables.table import Table


class TrainingRows:
    """The training rows of a table, with the numbers that columns of categories become beside the numbers.

    Args:
        table: the table, its codes not yet translated.
        training: positions of the training rows.
        translations: for each column of texts what its codes are in the encoder.
        columns: the columns of categories, once their encodings are fitted.

    Attributes:
        names: the columns of numbers.
    """

    def __init__(
        self,
        table: Table,
        training: NDArray[np.intp],
        translations: Sequence[NDArray[np.int32]],
        columns: CategoryColumns | None = None,
    ) -> None:
        self._table = table
        self._rows = training
        self._translations = translations
        self._columns = columns or CategoryColumns()
        self.names = (*table.columns.numbers, *features_of(self._columns.numbers))

    def with_numbers_of(self, columns: CategoryColumns) -> TrainingRows:
        """Return the rows with the numbers that columns of categories become."""
        return TrainingRows(self._table, self._rows, self._translations, columns)

    def categories(self, name: str, categories: Sequence[str]) -> TrainingCategories:
        """Return a column of categories, which an encoding is fitted on.

        Args:
            name: its name.
            categories: its categories in the encoder.
        """
        place = self._table.columns.categories.index(name)
        return TrainingCategories(name, categories, self._codes(slice(None), place), self.targets)

    def numbers(self) -> Iterator[NDArray[np.float64]]:
        """Go through the numbers, some rows at a time, NaN where one is missing."""
        count = len(self._table.columns.numbers)
        for part in parts(len(self._rows), len(self.names)):
            values = self._table.numbers[self._rows[part], :count]
            yield self._columns.beside(values, self._all_codes(part)) if self._columns.numbers else values

    def targets(self) -> Array:
        """Return the targets: numbers of classes, in their order, shape (rows,); values or labels, (rows, count)."""
        columns = self._table.columns
        if columns.target_class is not None:
            classes: Array = self._translations[-1][self._table.codes[self._rows, -1]]
            return classes
        values: Array = self._table.numbers[self._rows, len(columns.numbers) :]
        return values

    def fitted(self, encoding: Encoding, names: Sequence[str]) -> FittedEncoding:
        """Return an encoding, fitted on some of the columns of numbers."""
        places = [self.names.index(name) for name in names]
        chosen = lambda: (each[:, places] for each in self.numbers())  # noqa: E731
        return FittedEncoding.fit(encoding, names, TrainingColumns(len(self._rows), len(names), chosen, self.targets))

    def fitted_on_one_hot(self, encoding: Encoding, names: Sequence[str]) -> FittedEncoding:
        """Return an encoding, fitted on what one-hot columns become.

        Args:
            encoding: the encoding.
            names: the names of the elements.
        """

        def written() -> Iterator[NDArray[np.float64]]:
            for part in parts(len(self._rows), len(names)):
                codes = self._all_codes(part)
                out = np.empty((len(codes), len(names)))
                write(self._columns.one_hot, codes, out)
                yield out

        return FittedEncoding.fit(encoding, names, TrainingColumns(len(self._rows), len(names), written, self.targets))

    def extents(self) -> NDArray[np.float64]:
        """Return least and greatest number of each column, without missing values; 0 and 0 if all are missing."""
        least, greatest = np.full(len(self.names), np.inf), np.full(len(self.names), -np.inf)
        for values in self.numbers():
            least = np.fmin(least, np.fmin.reduce(values, axis=0))
            greatest = np.fmax(greatest, np.fmax.reduce(values, axis=0))
        return np.where(least <= greatest, [least, greatest], 0.0).T

    def sometimes_missing(self) -> NDArray[np.bool_]:
        """Return which columns lack a number in some of the rows, but not in all."""
        absent = np.zeros(len(self.names), np.int64)
        for values in self.numbers():
            absent += np.isnan(values).sum(axis=0)
        return (absent > 0) & (absent < len(self._rows))

    def _all_codes(self, part: slice) -> NDArray[np.int32]:
        """Return the codes of all columns of categories, -1 for a missing or an unknown one."""
        return np.stack([self._codes(part, place) for place in range(len(self._table.columns.categories))], axis=1)

    def _codes(self, part: slice, place: int) -> NDArray[np.int32]:
        """Return the codes of a column of categories, -1 for a missing or an unknown one."""
        codes: NDArray[np.int32] = self._translations[place][self._table.codes[self._rows[part], place]]
        return np.maximum(codes, MISSING)
