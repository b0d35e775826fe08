"""The training rows of a table, block by block, to fit an encoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Encoding, FittedEncoding, TrainingCategories, TrainingColumns
from mlpkit_plugins.tables.category_columns import CategoryColumns, features_of, write
from mlpkit_plugins.tables.codebook import MISSING
from mlpkit_plugins.tables.parts import parts
from mlpkit_plugins.tables.table import Table


class TrainingRows:
    """The training rows of a table: its numbers, then the columns of categories that become numbers.

    Args:
        table: the table, its codes not yet translated.
        training: positions of the training rows.
        translations: maps the codes of each column of texts to the encoder's.
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
        """Return the rows with the columns of categories that become numbers."""
        return TrainingRows(self._table, self._rows, self._translations, columns)

    def categories(self, name: str, categories: Sequence[str]) -> TrainingCategories:
        """Return a column of categories, to fit an encoding.

        Args:
            name: the name of the column.
            categories: its categories in the encoder.
        """
        place = self._table.columns.categories.index(name)
        return TrainingCategories(name, categories, self._codes(slice(None), place), self.targets)

    def numbers(self) -> Iterator[NDArray[np.float64]]:
        """Yield blocks of rows of numbers, NaN for missing ones."""
        count = len(self._table.columns.numbers)
        for part in parts(len(self._rows), len(self.names)):
            values = self._table.numbers[self._rows[part], :count]
            yield self._columns.append_to(values, self._all_codes(part)) if self._columns.numbers else values

    def targets(self) -> Array:
        """Return the targets: class numbers, shape (rows,), or values or labels, shape (rows, count)."""
        columns = self._table.columns
        if columns.target_class is not None:
            classes: Array = self._translations[-1][self._table.codes[self._rows, -1]]
            return classes
        values: Array = self._table.numbers[self._rows, len(columns.numbers) :]
        return values

    def fitted(self, encoding: Encoding, names: Sequence[str]) -> FittedEncoding:
        """Fit an encoding on some of the columns of numbers."""
        places = [self.names.index(name) for name in names]
        blocks = lambda: (each[:, places] for each in self.numbers())  # noqa: E731
        return FittedEncoding.fit(encoding, names, TrainingColumns(len(self._rows), len(names), blocks, self.targets))

    def fitted_on_one_hot(self, encoding: Encoding, names: Sequence[str]) -> FittedEncoding:
        """Fit an encoding on one-hot features.

        Args:
            encoding: the encoding.
            names: the names of the features.
        """

        def written() -> Iterator[NDArray[np.float64]]:
            for part in parts(len(self._rows), len(names)):
                codes = self._all_codes(part)
                out = np.empty((len(codes), len(names)))
                write(self._columns.one_hot, codes, out)
                yield out

        return FittedEncoding.fit(encoding, names, TrainingColumns(len(self._rows), len(names), written, self.targets))

    def extents(self) -> NDArray[np.float64]:
        """Return the least and greatest present number of each column; 0 and 0 if all are missing."""
        least, greatest = np.full(len(self.names), np.inf), np.full(len(self.names), -np.inf)
        for values in self.numbers():
            least = np.fmin(least, np.fmin.reduce(values, axis=0))
            greatest = np.fmax(greatest, np.fmax.reduce(values, axis=0))
        return np.where(least <= greatest, [least, greatest], 0.0).T

    def sometimes_missing(self) -> NDArray[np.bool_]:
        """Return which columns miss a number in some rows, but not in all."""
        absent = np.zeros(len(self.names), np.int64)
        for values in self.numbers():
            absent += np.isnan(values).sum(axis=0)
        return (absent > 0) & (absent < len(self._rows))

    def _all_codes(self, part: slice) -> NDArray[np.int32]:
        """Return the codes of all columns of categories, -1 for missing and unknown ones."""
        return np.stack([self._codes(part, place) for place in range(len(self._table.columns.categories))], axis=1)

    def _codes(self, part: slice, place: int) -> NDArray[np.int32]:
        """Return the codes of a column of categories, -1 for missing and unknown ones."""
        codes: NDArray[np.int32] = self._translations[place][self._table.codes[self._rows[part], place]]
        return np.maximum(codes, MISSING)
