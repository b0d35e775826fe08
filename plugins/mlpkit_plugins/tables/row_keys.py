"""A number for each row of a table that depends on its values, or on those of a key, not on its position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.formats.shown_text import shown_text
from mlpkit_plugins.splits.by_key import scattered, text_key
from mlpkit_plugins.tables.parts import parts
from mlpkit_plugins.tables.table import Table
from mlpkit_plugins.tables.times import EXPECTED, NotATimeError, seconds_of


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


def keys_of(texts: Sequence[str], *, times: bool) -> NDArray[np.uint64]:
    """Return a number for each text: a hash, or the bits of its time in seconds.

    Raises:
        NotATimeError: a text is not a time.
    """
    if not times:
        return np.fromiter(map(text_key, texts), np.uint64, len(texts))
    seconds = np.empty(len(texts))
    for index, text in enumerate(texts):
        try:
            seconds[index] = seconds_of(text)
        except ValueError as error:
            raise NotATimeError(index) from error
    return seconds.view(np.uint64)


def no_time(file: str, row: int, column: str, text: str) -> DataError:
    """Return the error for a text in a column of times that isn't a time."""
    message = f"{shown_text(text)} is not a time; expected {EXPECTED}" if text.strip() else "the time is missing"
    return DataError(file, f"{message}; write one, or split by another column", row=row, column=column)
