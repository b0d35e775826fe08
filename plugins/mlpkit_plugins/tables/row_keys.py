"""A number for each row of a table that depends on its values, not on its position."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpkit_plugins.splits.by_key import scattered
from mlpkit_plugins.splits.text_key import text_key
from mlpkit_plugins.tables.parts import parts
from mlpkit_plugins.tables.table import Table


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
