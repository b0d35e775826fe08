"""The categories of columns in the training rows, and the codes of a table as positions in these lists."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, FittedCategoryEncoding, InputColumn

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
    """Return the categories of some rows; rare ones count as ``other``."""
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
    """Map the codes of each column of texts to positions of categories; -1 for missing, -2 for unknown texts."""
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


MISSING: Final = -1
"""The code of a missing value."""


class NoCharactersError(ValueError):
    """The bytes of the text at a position are not valid characters."""

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(index)


class Codebook(dict[str, int]):
    """Maps each text of a file to its code: the position of the stripped text in ``texts``, or that of a missing value.

    Attributes:
        texts: the distinct texts, without surrounding blanks.
    """

    def __init__(self, missing: Collection[str] = ()) -> None:
        super().__init__()
        self._missing = frozenset(missing)
        self.texts: list[str] = []

    def __missing__(self, written: str) -> int:
        """Give a new text its code."""
        text = written.strip()
        if text in self._missing:
            code = MISSING
        elif text != written:
            code = self[text]
        else:
            code = len(self.texts)
            self.texts.append(text)
        self[written] = code
        return code

    def codes(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Return the code of each text.

        Raises:
            NoCharactersError: a text has bytes that are not valid characters, decoded with ``surrogateescape``.
        """
        known = len(self.texts)
        codes = np.fromiter(map(self.__getitem__, texts), np.int32, len(texts))
        for code, text in enumerate(self.texts[known:], known):
            if not text.isprintable() and not _has_characters(text):
                raise NoCharactersError(int((codes == code).argmax()))
        return codes


def _has_characters(text: str) -> bool:
    return text.encode(errors="ignore").decode() == text


class CategoryColumn(NamedTuple):
    """A column of categories.

    Args:
        place: its position in the columns of categories.
        elements: the positions of its features in those of its group.
        features: their names.
        encoding: its encoding.
    """

    place: int
    elements: slice
    features: tuple[str, ...]
    encoding: FittedCategoryEncoding


@dataclass(frozen=True)
class CategoryColumns:
    """The columns of categories of a table, in groups: columns that become numbers, one-hot features or indices.

    Args:
        encodings: the encoding of each column, in the order of the columns.
        constant: the columns left out because all training rows have the same category.
    """

    encodings: tuple[FittedCategoryEncoding, ...] = ()
    constant: tuple[str, ...] = ()

    @cached_property
    def categories(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the columns, each with its categories."""
        return {each.column: each.categories for each in self.encodings}

    @cached_property
    def numbers(self) -> tuple[CategoryColumn, ...]:
        """The columns that become numbers."""
        return self._that_hold("numbers")

    @cached_property
    def one_hot(self) -> tuple[CategoryColumn, ...]:
        """The columns that become one-hot features."""
        return self._that_hold("one_hot")

    @cached_property
    def indices(self) -> tuple[CategoryColumn, ...]:
        """The columns that become indices."""
        return self._that_hold("categories")

    def append_to(self, numbers: NDArray[np.float64], codes: NDArray[np.int32]) -> NDArray[np.float64]:
        """Append the columns of categories that become numbers, NaN for missing ones, to the columns of numbers."""
        if not self.numbers:
            return numbers
        encoded = np.empty((len(codes), len(features_of(self.numbers))))
        write(self.numbers, codes, encoded)
        return np.concatenate([numbers, encoded], axis=1)

    def _that_hold(self, holds: str) -> tuple[CategoryColumn, ...]:
        group, end = [], 0
        for place, each in enumerate(self.encodings):
            if each.encoding.holds == holds and each.column not in self.constant:
                features = each.features()
                begin, end = end, end + len(features)
                group.append(CategoryColumn(place, slice(begin, end), features, each))
        return tuple(group)


def features_of(columns: tuple[CategoryColumn, ...]) -> tuple[str, ...]:
    """Return the names of the features of a group of columns."""
    return tuple(chain(*(column.features for column in columns)))


def inputs_of(columns: tuple[CategoryColumn, ...]) -> list[InputColumn]:
    """Return the parts of an example that a group of columns becomes."""
    return list(chain(*(column.encoding.inputs() for column in columns)))


def write(columns: tuple[CategoryColumn, ...], codes: NDArray[np.int32], out: Array) -> None:
    """Write the features of a group of columns into ``out``; codes are -1 for a missing or unknown category."""
    for place, elements, _, encoding in columns:
        out[:, elements] = encoding.encode(codes[:, place])


def why_not_one_hot(columns: tuple[CategoryColumn, ...], rows: Array) -> str:
    """Return why rows can't come from columns that ``write`` makes 0, 1 or -1; empty if they may."""
    for _, elements, features, encoding in columns:
        written = encoding.encode(np.arange(-1, len(encoding.categories)))
        wrong = np.argwhere((rows[:, elements] != 0) & (np.abs(rows[:, elements]) != 1))
        if len(wrong) and np.isin(written, (0, 1, -1)).all():
            row, column = wrong[0]
            value = rows[:, elements][row, column]
            return f"row {row}, counted from 0, has {value:g} for '{features[column]}', but encoding writes 0 or 1"
    return ""
