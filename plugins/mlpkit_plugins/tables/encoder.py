"""Encodes rows of a table for a network, with what was learned from the training rows only."""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit import DataError, ModelFileError
from mlpkit_plugins.arrays.raw_rows import raw_number
from mlpkit_plugins.formats.encoder_state import are_names, are_numbers
from mlpkit_plugins.tables.codebook import MISSING
from mlpkit_plugins.tables.parts import parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit_plugins.tables.table import Table


@dataclass(frozen=True)
class TableEncoder:
    """Scales numbers, and one-hot encodes categories.

        x = (number - mean) / std   for each column of numbers, then
        x = 1 if the value is that category, else 0   for each category of each column of categories

        x = 1 if the number is missing, else 0   for each column of numbers that has an indicator

    A missing number is replaced by the mean. A category that is missing is all zeros; one that did not occur in
    training, too, unless its column has a category for all others.

    Args:
        numbers: names of the columns of numbers.
        means: what is subtracted from each.
        stds: what each is divided by.
        fills: what replaces a missing number.
        categories: the names of the columns of categories, each with its categories.
        classes: the names of the classes; None if no classes are predicted.
        indicators: the columns of numbers that have an indicator.
        with_other: the columns of categories in which ``other`` stands for all that are rare or unknown.
        extents: least and greatest number of each column in training, shape (columns, 2); None in models of older
            versions.
    """

    numbers: tuple[str, ...]
    means: NDArray[np.float64]
    stds: NDArray[np.float64]
    fills: NDArray[np.float64]
    categories: Mapping[str, tuple[str, ...]]
    classes: tuple[str, ...] | None
    indicators: tuple[str, ...] = ()
    with_other: tuple[str, ...] = ()
    extents: NDArray[np.float64] | None = None

    @classmethod
    def fit(
        cls, table: Table, training: NDArray[np.intp], *, standardize: bool, indicate: bool = False, rare: int = 1
    ) -> TableEncoder:
        """Learn from the training rows.

        Args:
            table: the table.
            training: positions of the training rows.
            standardize: whether numbers are scaled to mean 0 and standard deviation 1.
            indicate: whether a column of numbers, if one is missing in training, has an indicator.
            rare: with fewer training rows than this, a category counts as ``other``.

        Raises:
            DataError: numbers are so large that their squares are infinite.
        """
        columns = table.columns
        with np.errstate(over="ignore", invalid="ignore"):
            means, stds = _statistics(table.numbers, training, len(columns.numbers))
        for name, mean, std in zip(columns.numbers, means, stds, strict=True):
            if not (math.isfinite(mean) and math.isfinite(std)):
                message = "the numbers are so large that their standard deviation overflows"
                raise DataError(table.name, message, column=name)
        found = [
            _categories(texts, codes[training], rare if name in columns.categories else 1)
            for name, texts, codes in zip(columns.all_categories, table.texts, table.codes.T, strict=True)
        ]
        classes = found.pop().names if columns.target_class is not None else None
        absent = _missing_somewhere(table.numbers, training, len(columns.numbers)) if indicate else ()
        zeros, ones = np.zeros_like(means), np.ones_like(stds)
        return cls(
            columns.numbers,
            means if standardize else zeros,
            stds if standardize else ones,
            means,
            {name: categories.names for name, categories in zip(columns.categories, found, strict=True)},
            classes,
            tuple(columns.numbers[column] for column in absent),
            tuple(name for name, categories in zip(columns.categories, found, strict=True) if categories.with_other),
            _extents(table.numbers, training, len(columns.numbers)),
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the columns that are encoded, in the order of raw inputs."""
        return (*self.numbers, *self.categories)

    @property
    def width(self) -> int:
        """Length of an encoded row."""
        return len(self.numbers) + sum(map(len, self.categories.values())) + len(self.indicators)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each element of an encoded row: a column's name, or ``column=category``."""
        of_categories = [f"{name}={category}" for name, found in self.categories.items() for category in found]
        return (*self.numbers, *of_categories, *(f"{name} is missing" for name in self.indicators))

    def write(self, numbers: NDArray[np.float64], codes: NDArray[np.int32], out: NDArray[Any]) -> None:
        """Write rows into ``out``, shape (rows, width).

        Args:
            numbers: numbers as in the table, NaN where one is missing, shape (rows, columns).
            codes: positions of categories among those of their column, -1 for all others, shape (rows, columns).
            out: where to write.
        """
        count = len(self.numbers)
        absent = np.isnan(numbers)
        if absent.any():
            numbers = np.where(absent, self.fills, numbers)
        out[:, :count] = self.scaled(numbers)
        out[:, count:] = 0
        for column, categories in enumerate(self.categories.values()):
            rows = np.flatnonzero(codes[:, column] >= 0)
            out[rows, count + codes[rows, column]] = 1
            count += len(categories)
        if self.indicators:
            out[:, count:] = absent[:, [self.numbers.index(name) for name in self.indicators]]

    def why_not_written(self, rows: NDArray[Any]) -> str:
        """Return why rows clearly were not encoded by ``write``; empty if they may have been."""
        count = len(self.numbers)
        numbers, categories = rows[:, :count], rows[:, count:]
        wrong = np.argwhere(np.isnan(numbers))
        if len(wrong):
            row, column = wrong[0]
            return f"row {row}, counted from 0, lacks '{self.numbers[column]}', but encoding fills in the mean"
        wrong = np.argwhere((categories != 0) & (categories != 1))
        if len(wrong):
            row, column = wrong[0]
            name = self.feature_names[count + column]
            return (
                f"row {row}, counted from 0, has {categories[row, column]:g} for '{name}', but encoding writes 0 or 1"
            )
        raw = raw_number(numbers, self.means, self.stds)
        if raw is not None:
            name, mean, std = self.numbers[raw.element], self.means[raw.element], self.stds[raw.element]
            scaled = f"encoding takes off the mean {mean:g} and divides by {std:g}"
            return f"row {raw.row}, counted from 0, has {raw.value:g} for '{name}', but {scaled}"
        return ""

    def scaled(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers less the means of their columns, divided by the standard deviations."""
        scaled = numbers - self.means
        scaled /= self.stds
        return scaled

    def translations(self, texts: Sequence[Sequence[str]]) -> list[NDArray[np.int32]]:
        """Return for each column of texts what its codes are here: positions of categories; -1 missing; -2 unknown.

        Args:
            texts: the distinct texts of each column, in the order of their codes.
        """
        known = [*self.categories.items(), *([("", self.classes)] if self.classes is not None else [])]
        translations = []
        for (name, categories), found in zip(known, texts, strict=False):
            positions = {text: position for position, text in enumerate(categories)}
            strange = positions[OTHER] if name in self.with_other else UNKNOWN
            translations.append(np.array([*(positions.get(text, strange) for text in found), MISSING], np.int32))
        return translations

    def state(self) -> dict[str, Any]:
        """Return the encoder as plain data."""
        return {
            "numbers": list(self.numbers),
            "means": self.means.tolist(),
            "stds": self.stds.tolist(),
            "fills": self.fills.tolist(),
            "categories": [[name, list(found)] for name, found in self.categories.items()],
            "classes": None if self.classes is None else list(self.classes),
            **({"indicators": list(self.indicators)} if self.indicators else {}),
            **({"with_other": list(self.with_other)} if self.with_other else {}),
            **({"extents": self.extents.tolist()} if self.extents is not None else {}),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TableEncoder:
        """Take back what ``state`` returned.

        Raises:
            ModelFileError: ``state`` did not return it.
        """
        match dict(state):
            case {
                "numbers": [*numbers],
                "means": means,
                "stds": stds,
                "fills": fills,
                "categories": [*categories],
                "classes": classes,
            } if (
                all(map(_is_column, categories))
                and are_names(numbers + [name for name, _ in categories])
                and are_numbers(means, len(numbers))
                and are_numbers(stds, len(numbers), positive=True)
                and are_numbers(fills, len(numbers))
                and (classes is None or (are_names(classes) and len(classes) > 1))
                and _are_among(state.get("indicators", []), numbers)
                and _are_among(state.get("with_other", []), [name for name, found in categories if OTHER in found])
                and _are_extents(state.get("extents"), len(numbers))
            ):
                return cls(
                    tuple(numbers),
                    np.array(means, np.float64),
                    np.array(stds, np.float64),
                    np.array(fills, np.float64),
                    {name: tuple(found) for name, found in categories},
                    None if classes is None else tuple(classes),
                    tuple(state.get("indicators", ())),
                    tuple(state.get("with_other", ())),
                    np.array(state["extents"], np.float64).reshape(-1, 2) if "extents" in state else None,
                )
        raise ModelFileError(f"the encoder of the table is {reprlib.repr(state)}, which no such data set writes")


OTHER: Final = "other"
"""The category of all that are rare in training, or don't occur."""

LONGEST_FEATURE_NAMES: Final = 1 << 26
"""Most characters of a column's name, counted once per category."""

UNKNOWN: Final = -2
"""The code of a category that did not occur in training."""


def _statistics(
    numbers: NDArray[np.float64], rows: NDArray[np.intp], columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each column, without missing values; 1 for a constant column."""
    counts, sums, squares = np.zeros(columns), np.zeros(columns), np.zeros(columns)
    for part in parts(len(rows), columns):
        values = numbers[rows[part], :columns]
        present = ~np.isnan(values)
        counts += present.sum(axis=0)
        sums += np.where(present, values, 0).sum(axis=0)
    counts = np.maximum(counts, 1)
    means = sums / counts
    for part in parts(len(rows), columns):
        deviations = numbers[rows[part], :columns] - means
        squares += np.where(np.isnan(deviations), 0, deviations * deviations).sum(axis=0)
    stds = np.sqrt(squares / counts)
    tiny = stds <= 1e-12 * np.abs(means)  # all values are equal, up to rounding of their mean
    return means, np.where(tiny, 1.0, stds)


def _extents(numbers: NDArray[np.float64], rows: NDArray[np.intp], columns: int) -> NDArray[np.float64]:
    """Return least and greatest number of each column, without missing values; 0 and 0 if all are missing."""
    least, greatest = np.full(columns, np.inf), np.full(columns, -np.inf)
    for part in parts(len(rows), columns):
        values = numbers[rows[part], :columns]
        least = np.fmin(least, np.fmin.reduce(values, axis=0))
        greatest = np.fmax(greatest, np.fmax.reduce(values, axis=0))
    return np.where(least <= greatest, [least, greatest], 0.0).T


def _missing_somewhere(numbers: NDArray[np.float64], rows: NDArray[np.intp], columns: int) -> Iterable[int]:
    """Return which of the first columns lack a number in some of the rows."""
    found = np.zeros(columns, np.bool_)
    for part in parts(len(rows), columns):
        found |= np.isnan(numbers[rows[part], :columns]).any(axis=0)
    return [int(column) for column in np.flatnonzero(found)]


class _Categories(NamedTuple):
    names: tuple[str, ...]
    with_other: bool


def _categories(texts: Sequence[str], codes: NDArray[np.int32], rare: int) -> _Categories:
    """Return the categories of some rows in order; those with too few rows count as ``other``, which comes last."""
    counts = np.bincount(codes[codes != MISSING], minlength=len(texts))
    kept = {texts[code] for code in np.flatnonzero(counts >= rare).tolist()}
    if ((counts > 0) & (counts < rare)).any():
        return _Categories((*in_order(kept - {OTHER}), OTHER), with_other=True)
    return _Categories(in_order(kept), with_other=False)


def _are_among(names: object, known: Sequence[str]) -> bool:
    """Whether a value is a list of distinct names, all of them known."""
    return are_names(names) and isinstance(names, list) and set(names) <= set(known)


def _are_extents(values: object, count: int) -> bool:
    """Whether a value is a list of so many pairs of numbers; or None, which older models have."""
    return values is None or (
        isinstance(values, list) and len(values) == count and all(are_numbers(pair, 2) for pair in values)
    )


def in_order(texts: set[str]) -> tuple[str, ...]:
    """Return texts in numerical order if all are numbers, otherwise in alphabetical order."""
    try:
        numbers = {text: float(text) for text in texts}
    except ValueError:
        numbers = {}
    if all(map(math.isfinite, numbers.values())) and numbers:
        return tuple(sorted(texts, key=lambda text: (numbers[text], text)))
    return tuple(sorted(texts))


def _is_column(column: object) -> bool:
    """Whether a value is a list of a name and the categories of that column, which together name the features."""
    match column:
        case [str(name), [*categories]]:
            return are_names([name]) and are_names(categories) and len(name) * len(categories) <= LONGEST_FEATURE_NAMES
    return False
