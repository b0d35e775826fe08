"""Texts of a column as the numbers that they write."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray


class NotANumberError(ValueError):
    """A text writes no finite number.

    Args:
        index: its position among the texts.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(index)


def numbers_of(texts: Sequence[str], missing: Collection[str]) -> NDArray[np.float64]:
    """Return the numbers; what is missing is NaN.

    Args:
        texts: decimal numbers, as in ``-1.5e3``.
        missing: texts that stand for a value that is missing.

    Raises:
        NotANumberError: a text is neither.
    """
    try:
        values = np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return _one_by_one(texts, missing)
    if np.isfinite(values).all() and "_" not in "".join(texts):
        return values
    return _one_by_one(texts, missing)


def _one_by_one(texts: Sequence[str], missing: Collection[str]) -> NDArray[np.float64]:
    values = np.empty(len(texts))
    for index, text in enumerate(texts):
        if text.strip() in missing:
            values[index] = math.nan
            continue
        try:
            values[index] = float(text)
        except ValueError as error:
            raise NotANumberError(index) from error
        if not math.isfinite(values[index]) or "_" in text:  # float() takes 1_000, which no other program writes
            raise NotANumberError(index)
    return values
