"""The categories of columns in the training rows, and the codes of a table as positions in these lists."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit_plugins.tables.codebook import MISSING

OTHER: Final = "other"
"""The category that replaces categories which are rare in training, or don't occur."""

UNKNOWN: Final = -2
"""The code of a category that didn't occur in training."""


class ColumnCategories(NamedTuple):
    """The categories of some rows of a column.

    Args:
        names: their names, in numerical or alphabetical order; ``other`` comes last.
        with_other: whether ``other`` replaces rare and unknown categories.
        constant: whether all rows have the same category.
    """

    names: tuple[str, ...]
    with_other: bool
    constant: bool


def categories_of(texts: Sequence[str], codes: NDArray[np.int32], rare: int) -> ColumnCategories:
    """Return the categories of some rows; rare ones count as ``other``.

    Args:
        texts: the distinct texts of the column, in the order of their codes.
        codes: the codes of the rows.
        rare: the fewest rows of a category that isn't rare.
    """
    counts = np.bincount(codes[codes != MISSING], minlength=len(texts))
    kept = {texts[code] for code in np.flatnonzero(counts >= rare).tolist()}
    if ((counts > 0) & (counts < rare)).any():
        names, with_other = (*in_order(kept - {OTHER}), OTHER), True
    else:
        names, with_other = in_order(kept), False
    return ColumnCategories(names, with_other, constant=len(names) == 1 and MISSING not in codes)


def translations(
    known: Iterable[tuple[str, Sequence[str]]], with_other: Collection[str], texts: Sequence[Sequence[str]]
) -> list[NDArray[np.int32]]:
    """Map the codes of each column of texts to positions of categories; -1 for missing, -2 for unknown texts.

    Args:
        known: the columns' names, each with its categories.
        with_other: the columns in which ``other`` replaces rare and unknown categories.
        texts: the distinct texts of each column, in the order of their codes.
    """
    tables = []
    for (name, categories), column_texts in zip(known, texts, strict=False):
        positions = {text: position for position, text in enumerate(categories)}
        unknown = positions[OTHER] if name in with_other else UNKNOWN
        tables.append(np.array([*(positions.get(text, unknown) for text in column_texts), MISSING], np.int32))
    return tables


def in_order(texts: set[str]) -> tuple[str, ...]:
    """Return texts in numerical order if all are numbers, otherwise in alphabetical order."""
    if are_finite_numbers(texts):
        return tuple(sorted(texts, key=lambda text: (float(text), text)))
    return tuple(sorted(texts))


def are_finite_numbers(texts: Iterable[str]) -> bool:
    """Whether all texts are finite numbers."""
    try:
        return all(math.isfinite(float(text)) for text in texts)
    except ValueError:
        return False
