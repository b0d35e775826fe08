"""The column by which rows are split, as a number for each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.formats.shown_text import shown_text
from mlpkit_plugins.splits.text_key import text_key
from mlpkit_plugins.tables.times import EXPECTED, NotATimeError, seconds_of


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
