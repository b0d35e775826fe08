"""The categories of a table as positions in the encoder's categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlpkit import MlpkitError
from mlpkit_plugins.formats.untrained_values import UntrainedValues
from mlpkit_plugins.tables.categories import MISSING, UNKNOWN
from mlpkit_plugins.tables.encoder import TableEncoder
from mlpkit_plugins.tables.readers import OrderedCategories
from mlpkit_plugins.tables.table import Table
from mlpkit_plugins.tables.targets import numbers_for_classes, unknown_category, unknown_classes


@dataclass(frozen=True)
class Translation:
    """Converts the codes of a table to positions in an encoder's categories.

    Args:
        encoder: the encoder.
        lenient: whether a category that no training row has counts as missing; if not, it is an error.
        is_loaded: whether the encoder belongs to a trained model.
        seems_to_hold_values: whether the classes are most likely numbers to predict.
    """

    encoder: TableEncoder
    lenient: bool
    is_loaded: bool = False
    seems_to_hold_values: bool = False

    def apply(self, table: Table) -> None:
        """Replace the codes of a table; if a trained model reads it, warn of values that weren't in training.

        Raises:
            DataError: a class, or a category, occurs in no training row.
            ParameterError: the classes are most likely numbers to predict.
        """
        columns = table.columns
        for column, translation in enumerate(self.encoder.translations(table.texts)):
            name, written = columns.all_categories[column], table.codes[:, column].copy()
            codes = translation[written]
            unknown = np.flatnonzero(codes == UNKNOWN)
            texts = table.texts[column]
            if len(unknown) and (name == columns.target_class or not self.lenient):
                counts = Counter(texts[code] for code in written[unknown].tolist())
                raise self._unknown(table, int(unknown[0]), name, counts)
            if len(unknown) and columns.trained:
                unknown_texts = {texts[code] for code in np.unique(written[unknown])}
                known = self.encoder.categories[name]
                UntrainedValues(table.name, len(table), name, len(unknown), unknown_texts, known).warn()
            codes[unknown] = MISSING
            table.codes[:, column] = codes
        for untrained in unlisted_in(table) if columns.trained else ():
            untrained.warn()

    def _unknown(self, table: Table, position: int, name: str, counts: Mapping[str, int]) -> MlpkitError:
        if name != table.columns.target_class:
            message = unknown_category(next(iter(counts)), self.encoder.categories[name], table.columns)
            return table.error(position, name, message)
        if self.seems_to_hold_values:
            return numbers_for_classes(table)
        return table.error(position, name, unknown_classes(counts, self.encoder.classes or (), trained=self.is_loaded))


def unlisted_in(table: Table) -> list[UntrainedValues]:
    """Return the unlisted ordered categories of a table."""
    readers = table.columns.readers
    return [
        UntrainedValues(table.name, len(table), name, count, reader.unlisted or (), reader.levels, "the mean")
        for name, count in table.unlisted.items()
        if count and isinstance(reader := readers[name], OrderedCategories)
    ]
