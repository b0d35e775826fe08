"""The training rows of a table, some at a time: what an encoder is fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import FittedEncoding, TrainingColumns
from mlpkit_plugins.tables.codebook import MISSING
from mlpkit_plugins.tables.parts import parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from mlpkit import Encoding
    from mlpkit_plugins.tables.table import Table


class TrainingRows:
    """The training rows of a table, with categories that are written as numbers beside the numbers.

    Args:
        table: the table, its codes not yet translated.
        training: positions of the training rows.
        translations: for each column of categories what its codes are in the encoder.
        ordinals: the columns of categories that are written as numbers.

    Attributes:
        names: the columns of numbers.
    """

    def __init__(
        self,
        table: Table,
        training: NDArray[np.intp],
        translations: Sequence[NDArray[np.int32]],
        ordinals: Sequence[str],
    ) -> None:
        self._table = table
        self._rows = training
        self._translations = translations[: len(table.columns.categories)]
        self._ordinals = [table.columns.categories.index(name) for name in ordinals]
        self.names = (*table.columns.numbers, *ordinals)

    def numbers(self) -> Iterator[NDArray[np.float64]]:
        """Go through the numbers, some rows at a time, NaN where one is missing."""
        count = len(self._table.columns.numbers)
        for part in parts(len(self._rows), len(self.names)):
            values = self._table.numbers[self._rows[part], :count]
            if self._ordinals:
                codes = self._codes(part)[:, self._ordinals]
                values = np.concatenate([values, np.where(codes < 0, np.nan, codes)], axis=1)
            yield values

    def targets(self) -> NDArray[Any]:
        """Return the targets: codes of classes, shape (rows,), or values or labels, shape (rows, count)."""
        columns = self._table.columns
        if columns.target_class is not None:
            codes: NDArray[Any] = self._table.codes[self._rows, -1]
            return codes
        values: NDArray[Any] = self._table.numbers[self._rows, len(columns.numbers) :]
        return values

    def fitted(self, encoding: Encoding, names: Sequence[str]) -> FittedEncoding:
        """Return an encoding, fitted on some of the columns of numbers."""
        places = [self.names.index(name) for name in names]
        chosen = lambda: (each[:, places] for each in self.numbers())  # noqa: E731
        return FittedEncoding.fit(encoding, names, TrainingColumns(len(self._rows), len(names), chosen, self.targets))

    def fitted_on_categories(
        self, encoding: Encoding, names: Sequence[str], write: Callable[[NDArray[np.int32], NDArray[Any]], None]
    ) -> FittedEncoding:
        """Return an encoding, fitted on what is written for categories.

        Args:
            encoding: the encoding.
            names: the names of the elements that are written.
            write: writes them for codes of categories.
        """

        def written() -> Iterator[NDArray[np.float64]]:
            for part in parts(len(self._rows), len(names)):
                codes = self._codes(part)
                out = np.empty((len(codes), len(names)))
                write(codes, out)
                yield out

        return FittedEncoding.fit(encoding, names, TrainingColumns(len(self._rows), len(names), written, self.targets))

    def extents(self) -> NDArray[np.float64]:
        """Return least and greatest number of each column, without missing values; 0 and 0 if all are missing."""
        least, greatest = np.full(len(self.names), np.inf), np.full(len(self.names), -np.inf)
        for values in self.numbers():
            least = np.fmin(least, np.fmin.reduce(values, axis=0))
            greatest = np.fmax(greatest, np.fmax.reduce(values, axis=0))
        return np.where(least <= greatest, [least, greatest], 0.0).T

    def missing_somewhere(self) -> NDArray[np.bool_]:
        """Return which columns lack a number in some of the rows."""
        found = np.zeros(len(self.names), np.bool_)
        for values in self.numbers():
            found |= np.isnan(values).any(axis=0)
        return found

    def _codes(self, part: slice) -> NDArray[np.int32]:
        """Return positions of categories among those that are known, -1 for all others."""
        codes = self._table.codes[self._rows[part], : len(self._translations)]
        for column, translation in enumerate(self._translations):
            codes[:, column] = translation[codes[:, column]]
        return np.maximum(codes, MISSING)
