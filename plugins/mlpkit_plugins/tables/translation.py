"""The categories of a table as positions in the encoder's categories."""

from __future__ import annotations

from collections import Counter

import numpy as np

from mlpkit_plugins.tables.categories import MISSING, UNKNOWN, translations
from mlpkit_plugins.tables.columns import OrderedCategories
from mlpkit_plugins.tables.encoder import TableEncoder
from mlpkit_plugins.tables.table import Table
from mlpkit_plugins.tables.targets import UntrainedValues, numbers_for_classes, unknown_category, unknown_classes


def translate(table: Table, encoder: TableEncoder, *, lenient: bool, is_loaded: bool, seem_values: bool) -> None:
    """Turn the codes of a table into positions in an encoder's categories, and warn a trained model of unknown ones.

    If ``lenient``, a category that no training row has counts as missing; if not, it is an error. Classes that
    ``seem_values`` are most likely numbers to predict.

    Raises:
        DataError: a class, or a category, occurs in no training row.
        ParameterError: the classes are most likely numbers to predict.
    """
    columns = table.columns
    known = [*encoder.categories.items(), *([("", encoder.classes)] if encoder.classes is not None else [])]
    for column, translation in enumerate(translations(known, encoder.with_other, table.texts)):
        name, written, texts = columns.all_categories[column], table.codes[:, column].copy(), table.texts[column]
        codes = translation[written]
        unknown = np.flatnonzero(codes == UNKNOWN)
        if len(unknown) and name == columns.target_class:
            if seem_values:
                raise numbers_for_classes(table)
            counts = Counter(texts[code] for code in written[unknown].tolist())
            message = unknown_classes(counts, encoder.classes or (), trained=is_loaded)
            raise table.error(int(unknown[0]), name, message)
        if len(unknown) and not lenient:
            message = unknown_category(texts[written[unknown[0]]], encoder.categories[name], columns)
            raise table.error(int(unknown[0]), name, message)
        if len(unknown) and columns.trained:
            unknown_texts = {texts[code] for code in np.unique(written[unknown])}
            categories = encoder.categories[name]
            UntrainedValues(table.name, len(table), name, len(unknown), unknown_texts, categories).warn()
        codes[unknown] = MISSING
        table.codes[:, column] = codes
    for untrained in unlisted_in(table) if columns.trained else ():
        untrained.warn()


def unlisted_in(table: Table) -> list[UntrainedValues]:
    """Return the unlisted ordered categories of a table."""
    readers = table.columns.readers
    return [
        UntrainedValues(table.name, len(table), name, count, reader.unlisted or (), reader.levels, "the mean")
        for name, count in table.unlisted.items()
        if count and isinstance(reader := readers[name], OrderedCategories)
    ]
