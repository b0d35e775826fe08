"""The categories of columns: which ones the training rows have, and what the codes of a table are among them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mlpkit_plugins.tables.codebook import MISSING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

OTHER: Final = "other"
"""The category of all that are rare in training, or don't occur."""

UNKNOWN: Final = -2
"""The code of a category that did not occur in training."""


class FoundCategories(NamedTuple):
    """The categories of some rows of a column.

    Args:
        names: their names, in numerical or alphabetical order; ``other`` comes last.
        with_other: whether ``other`` stands for all that are rare or unknown.
        constant: whether all rows have the same category.
    """

    names: tuple[str, ...]
    with_other: bool
    constant: bool


def found_categories(texts: Sequence[str], codes: NDArray[np.int32], rare: int) -> FoundCategories:
    """Return the categories of some rows; those with too few rows count as ``other``.

    Args:
        texts: the distinct texts of the column, in the order of their codes.
        codes: the codes of the rows.
        rare: the fewest rows of a category of its own.
    """
    counts = np.bincount(codes[codes != MISSING], minlength=len(texts))
    kept = {texts[code] for code in np.flatnonzero(counts >= rare).tolist()}
    if ((counts > 0) & (counts < rare)).any():
        names, with_other = (*in_order(kept - {OTHER}), OTHER), True
    else:
        names, with_other = in_order(kept), False
    return FoundCategories(names, with_other, constant=len(names) == 1 and MISSING not in codes)


def translations(
    known: Iterable[tuple[str, Sequence[str]]], with_other: Collection[str], texts: Sequence[Sequence[str]]
) -> list[NDArray[np.int32]]:
    """Return for each column of texts what its codes are here: positions of categories; -1 missing; -2 unknown.

    Args:
        known: the columns' names, each with its categories.
        with_other: the columns in which ``other`` stands for all that are rare or unknown.
        texts: the distinct texts of each column, in the order of their codes.
    """
    found = []
    for (name, categories), of_column in zip(known, texts, strict=False):
        positions = {text: position for position, text in enumerate(categories)}
        strange = positions[OTHER] if name in with_other else UNKNOWN
        found.append(np.array([*(positions.get(text, strange) for text in of_column), MISSING], np.int32))
    return found


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
