"""Parses the texts of a column as numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray


_TRUTHS: Final = {"true": 1.0, "false": 0.0}
_POINTS_AND_COMMAS: Final = str.maketrans(".,", ",.")


class NotANumberError(ValueError):
    """A text is not a finite number.

    Args:
        index: its position among the texts.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(index)


def numbers_of(texts: Sequence[str], missing: Collection[str], *, decimal: str = ".") -> NDArray[np.float64]:
    """Return the numbers; NaN for missing values.

    Args:
        texts: decimal numbers, as in ``-1.5e3``; or only truth values, such as ``True``, read as 1 and 0.
        missing: texts that mean a missing value.
        decimal: the character before decimals, a point or a comma.

    Raises:
        NotANumberError: a text is neither.
    """
    if decimal == ",":  # a point is wrong then
        texts = [text.translate(_POINTS_AND_COMMAS) for text in texts]
        missing = {text.translate(_POINTS_AND_COMMAS) for text in missing}
    try:
        values = np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        truths = _truths(texts, missing)
        return truths if truths is not None else _one_by_one(texts, missing)
    if np.isfinite(values).all() and "_" not in "".join(texts):
        return values
    return _one_by_one(texts, missing)


def _truths(texts: Sequence[str], missing: Collection[str]) -> NDArray[np.float64] | None:
    """Return ones and zeros if all texts that are not missing are truth values; otherwise None."""
    values = {text: math.nan if text.strip() in missing else _TRUTHS.get(text.strip().lower()) for text in set(texts)}
    if None in values.values():
        return None
    return np.array([values[text] for text in texts], np.float64)


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
        if not math.isfinite(values[index]) or "_" in text:  # float() accepts 1_000, which other programs don't write
            raise NotANumberError(index)
    return values
