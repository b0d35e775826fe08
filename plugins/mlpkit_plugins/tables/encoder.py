"""Encodes rows of a table for a network, with what was learned from the training rows only."""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit import DataError, FittedEncoding, InputColumn, ModelFileError
from mlpkit_plugins.arrays.raw_rows import raw_number
from mlpkit_plugins.formats.encoder_state import are_names, are_numbers
from mlpkit_plugins.functions.column_statistics import means_and_deviations
from mlpkit_plugins.tables.codebook import MISSING
from mlpkit_plugins.tables.training_rows import TrainingRows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit import Encoding
    from mlpkit_plugins.arrays.encoding_options import Form
    from mlpkit_plugins.tables.table import Table


@dataclass(frozen=True)
class TableEncoder:
    """Encodes numbers and categories.

        x = (number - mean) / std   for each column of numbers, or what its encoding makes of it, then
        x = 1 if the value is that category, else 0   for each category of each column of categories

        x = 1 if the number is missing, else 0   for each column of numbers that has an indicator

    A missing number is replaced by the mean. A category that is missing is all zeros; one that did not occur in
    training, too, unless its column has a category for all others. ``forms`` says which columns of categories are
    written otherwise: as the ``sign`` 1 or -1, 0 if missing; as an ``index`` from 1 up, 0 if missing; or as
    ``ordinal`` numbers from 0 up, which are then encoded as all numbers are.

    Args:
        numbers: names of the columns of numbers.
        means: what is subtracted from each, and from each ordinal column.
        stds: what each is divided by.
        fills: what replaces a missing number.
        categories: the names of the columns of categories, each with its categories.
        classes: the names of the classes; None if no classes are predicted.
        indicators: the columns of numbers that have an indicator.
        with_other: the columns of categories in which ``other`` stands for all that are rare or unknown.
        extents: least and greatest number of each column in training, shape (columns, 2); None in models of older
            versions.
        encodings: the encodings of the columns of numbers; none if they are scaled by ``means`` and ``stds``.
        forms: how columns of categories are written that aren't one-hot.
        of_categories: the encoding of what is written for one-hot columns and signs; None for as it is.
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
    encodings: tuple[FittedEncoding, ...] = ()
    forms: Mapping[str, Form] = field(default_factory=dict)
    of_categories: FittedEncoding | None = None

    @classmethod
    def fit(
        cls,
        table: Table,
        training: NDArray[np.intp],
        *,
        standardize: bool,
        indicate: bool = False,
        rare: int = 1,
        encoding_of: Callable[[str], Encoding | None] = lambda name: None,
        form_of: Callable[[str, int], Form] = lambda name, count: "one_hot",
        for_categories: Encoding | None = None,
        classes: tuple[str, ...] | None = None,
    ) -> TableEncoder:
        """Learn from the training rows.

        Args:
            table: the table.
            training: positions of the training rows.
            standardize: whether numbers without an encoding are scaled to mean 0 and standard deviation 1.
            indicate: whether a column of numbers, if one is missing in training, has an indicator.
            rare: with fewer training rows than this, a category counts as ``other``.
            encoding_of: returns the encoding of a column of numbers; None for a column without one.
            form_of: returns how a column of so many categories is written.
            for_categories: the encoding of one-hot columns and signs; None for as they are.
            classes: the classes, in their order; None for those of the training rows, in numerical or alphabetical
                order.

        Raises:
            DataError: numbers are so large that their squares are infinite.
        """
        columns = table.columns
        found = [
            _categories(texts, codes[training], rare if name in columns.categories else 1)
            for name, texts, codes in zip(columns.all_categories, table.texts, table.codes.T, strict=True)
        ]
        in_training = found.pop().names if columns.target_class is not None else None
        categories = {name: each.names for name, each in zip(columns.categories, found, strict=True)}
        forms = {name: form for name, each in categories.items() if (form := form_of(name, len(each))) != "one_hot"}
        with_other = tuple(name for name, each in zip(columns.categories, found, strict=True) if each.with_other)
        ordinals = [name for name, form in forms.items() if form == "ordinal"]
        rows = TrainingRows(table, training, _translations(categories.items(), with_other, table.texts), ordinals)
        with np.errstate(over="ignore", invalid="ignore"):
            means, stds = means_and_deviations(rows.numbers, len(rows.names))
        for name, mean, std in zip(rows.names, means, stds, strict=True):
            if not (math.isfinite(mean) and math.isfinite(std)):
                message = "the numbers are so large that their standard deviation overflows"
                raise DataError(table.name, message, column=name)
        absent = rows.missing_somewhere()[: len(columns.numbers)] if indicate else ()
        zeros, ones = np.zeros_like(means), np.ones_like(stds)
        encoder = cls(
            columns.numbers,
            means if standardize else zeros,
            stds if standardize else ones,
            means,
            categories,
            classes or in_training,
            tuple(name for name, is_absent in zip(columns.numbers, absent, strict=False) if is_absent),
            with_other,
            rows.extents(),
            tuple(rows.fitted(encoding, names) for encoding, names in grouped(rows.names, encoding_of)),
            forms,
        )
        features = tuple(chain(*encoder.category_features))
        if for_categories is None or not features:
            return encoder
        fitted = rows.fitted_on_categories(for_categories, features, encoder.write_one_hot)
        return replace(encoder, of_categories=fitted)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the columns that are encoded, in the order of raw inputs."""
        return (*self.numbers, *self.categories)

    @cached_property
    def ordinals(self) -> tuple[str, ...]:
        """The columns of categories that are written as numbers."""
        return tuple(name for name, form in self.forms.items() if form == "ordinal")

    @cached_property
    def all_numbers(self) -> tuple[str, ...]:
        """The columns of numbers, and those of categories that are written as such."""
        return (*self.numbers, *self.ordinals)

    @cached_property
    def width(self) -> int:
        """Length of an encoded row."""
        return sum(column.width for column in self.columns())

    @cached_property
    def number_features(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each column of numbers, in the order in which they are written, with the names of what it becomes."""
        if not self.encodings:
            return tuple((name, (name,)) for name in self.all_numbers)
        return tuple(pair for each in self.encodings for pair in zip(each.columns, each.features(), strict=True))

    @cached_property
    def category_features(self) -> tuple[tuple[str, ...], ...]:
        """The names of what each column of categories becomes that is one-hot or a sign."""
        return tuple(
            (name,) if form == "sign" else tuple(f"{name}={category}" for category in found)
            for name, found in self.categories.items()
            if (form := self.forms.get(name, "one_hot")) in ("one_hot", "sign")
        )

    @cached_property
    def indices(self) -> tuple[str, ...]:
        """The columns of categories that are written as indices."""
        return tuple(name for name, form in self.forms.items() if form == "index")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each element of an encoded row: a column's name, or ``column=category``."""
        numbers = chain(*(features for _, features in self.number_features))
        categories = chain(*(self._of_categories if self.of_categories else self.category_features))
        return (*numbers, *categories, *self.indices, *(f"{name} is missing" for name in self.indicators))

    def columns(self, dates: Collection[str] = ()) -> list[InputColumn]:
        """Return what each element of an encoded row comes from, in the order of the elements.

        Args:
            dates: the columns of numbers that come from dates.
        """
        one_hot = [name for name in self.categories if self.forms.get(name, "one_hot") in ("one_hot", "sign")]
        written = self._of_categories if self.of_categories else self.category_features
        return [
            *(InputColumn(n, "dates" if n in dates else "numbers", len(found)) for n, found in self.number_features),
            *(InputColumn(name, "one_hot", len(found)) for name, found in zip(one_hot, written, strict=True) if found),
            *(InputColumn(name, "categories", values=len(self.categories[name]) + 1) for name in self.indices),
            *(InputColumn(name, "one_hot") for name in self.indicators),
        ]

    def write(self, numbers: NDArray[np.float64], codes: NDArray[np.int32], out: NDArray[Any]) -> None:
        """Write rows into ``out``, shape (rows, width).

        Args:
            numbers: numbers as in the table, NaN where one is missing, shape (rows, columns).
            codes: positions of categories among those of their column, -1 for all others, shape (rows, columns).
            out: where to write.
        """
        numbers = self.with_ordinals(numbers, codes)
        absent = np.isnan(numbers)
        if absent.any():
            numbers = np.where(absent, self.fills, numbers)
        begin = self._write_numbers(numbers, out)
        begin = self._write_categories(codes, out, begin)
        if self.indices:
            end = begin + len(self.indices)
            np.add(codes[:, self._index_columns], 1, out=out[:, begin:end], casting="unsafe")
            begin = end
        if self.indicators:
            out[:, begin:] = absent[:, [self.numbers.index(name) for name in self.indicators]]

    def with_ordinals(self, numbers: NDArray[np.float64], codes: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return numbers, and beside them the codes of categories that are written as numbers, NaN if missing."""
        if not self.ordinals:
            return numbers
        found = codes[:, self._ordinal_columns]
        return np.concatenate([numbers, np.where(found < 0, np.nan, found)], axis=1)

    def encoded_numbers(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what becomes of numbers, none of them missing, shape (rows, features of numbers)."""
        if not self.encodings:
            return self.scaled(numbers)
        parts = [each.encode(numbers[:, places]) for each, places in zip(self.encodings, self._places, strict=True)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def write_one_hot(self, codes: NDArray[np.int32], out: NDArray[Any]) -> None:
        """Write one-hot columns and signs into ``out``, shape (rows, features of categories)."""
        begin = 0
        out[...] = 0
        for column, (name, categories) in enumerate(self.categories.items()):
            form = self.forms.get(name, "one_hot")
            if form == "sign":
                out[:, begin] = SIGNS[codes[:, column]]
                begin += 1
            elif form == "one_hot":
                rows = np.flatnonzero(codes[:, column] >= 0)
                out[rows, begin + codes[rows, column]] = 1
                begin += len(categories)

    def _write_numbers(self, numbers: NDArray[np.float64], out: NDArray[Any]) -> int:
        """Write what becomes of numbers, and return where it ends."""
        encoded = self.encoded_numbers(numbers)
        end: int = encoded.shape[1]
        out[:, :end] = encoded
        return end

    def _write_categories(self, codes: NDArray[np.int32], out: NDArray[Any], begin: int) -> int:
        """Write what becomes of one-hot columns and signs, and return where it ends."""
        if self.of_categories is None:
            self.write_one_hot(codes, out[:, begin : begin + self._one_hot_width])
            return begin + self._one_hot_width
        one_hot = np.empty((len(out), self._one_hot_width))
        self.write_one_hot(codes, one_hot)
        encoded = self.of_categories.encode(one_hot)
        end: int = begin + encoded.shape[1]
        out[:, begin:end] = encoded
        return end

    @cached_property
    def _one_hot_width(self) -> int:
        return len(tuple(chain(*self.category_features)))

    @cached_property
    def _places(self) -> list[list[int] | slice]:
        """The columns of numbers that each encoding takes."""
        places = {name: place for place, name in enumerate(self.all_numbers)}
        return (
            [slice(None)]
            if [each.columns for each in self.encodings] == [self.all_numbers]
            else [[places[name] for name in each.columns] for each in self.encodings]
        )

    @cached_property
    def _index_columns(self) -> list[int]:
        return [list(self.categories).index(name) for name in self.indices]

    @cached_property
    def _ordinal_columns(self) -> list[int]:
        return [list(self.categories).index(name) for name in self.ordinals]

    @cached_property
    def _of_categories(self) -> tuple[tuple[str, ...], ...]:
        """The names of what each one-hot column or sign becomes once it is encoded."""
        assert self.of_categories is not None
        features = iter(self.of_categories.features())
        return tuple(tuple(chain(*(next(features) for _ in found))) for found in self.category_features)

    def why_not_written(self, rows: NDArray[Any]) -> str:
        """Return why rows clearly were not encoded by ``write``; empty if they may have been."""
        count = len(list(chain(*(features for _, features in self.number_features))))
        numbers, categories = rows[:, :count], rows[:, count : count + self._one_hot_width]
        wrong = np.argwhere(np.isnan(numbers))
        if len(wrong):
            row, column = wrong[0]
            name = self.feature_names[column]
            return f"row {row}, counted from 0, lacks '{name}', but encoding fills in the mean"
        wrong = np.argwhere((categories != 0) & (np.abs(categories) != 1))
        if len(wrong) and self.of_categories is None:
            row, column = wrong[0]
            name = self.feature_names[count + column]
            return (
                f"row {row}, counted from 0, has {categories[row, column]:g} for '{name}', but encoding writes 0 or 1"
            )
        raw = None if self.encodings else raw_number(numbers, self.means, self.stds)
        if raw is not None:
            name, mean, std = self.all_numbers[raw.element], self.means[raw.element], self.stds[raw.element]
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
        return _translations(known, self.with_other, texts)

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
            **({"encodings": [each.state() for each in self.encodings]} if self.encodings else {}),
            **({"forms": dict(self.forms)} if self.forms else {}),
            **({"of_categories": self.of_categories.state()} if self.of_categories else {}),
        }

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, Any],
        encoding_of: Callable[[str], Encoding | None] = lambda name: None,
        for_categories: Encoding | None = None,
    ) -> TableEncoder:
        """Take back what ``state`` returned.

        Args:
            state: what ``state`` returned.
            encoding_of: returns the encoding of a column of numbers.
            for_categories: the encoding of one-hot columns and signs.

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
                and _are_forms(forms := state.get("forms", {}), [name for name, _ in categories])
                and are_numbers(means, count := len(numbers) + list(forms.values()).count("ordinal"))
                and are_numbers(stds, count, positive=True)
                and are_numbers(fills, count)
                and (classes is None or (are_names(classes) and len(classes) > 1))
                and _are_among(state.get("indicators", []), numbers)
                and _are_among(state.get("with_other", []), [name for name, found in categories if OTHER in found])
                and _are_extents(state.get("extents"), count)
            ):
                encoder = cls(
                    tuple(numbers),
                    np.array(means, np.float64),
                    np.array(stds, np.float64),
                    np.array(fills, np.float64),
                    {name: tuple(found) for name, found in categories},
                    None if classes is None else tuple(classes),
                    tuple(state.get("indicators", ())),
                    tuple(state.get("with_other", ())),
                    np.array(state["extents"], np.float64).reshape(-1, 2) if "extents" in state else None,
                    forms={name: forms[name] for name, _ in categories if name in forms},
                )
                return encoder._with_encodings(state, encoding_of, for_categories)
        raise ModelFileError(f"the encoder of the table is {reprlib.repr(state)}, which no such data set writes")

    def _with_encodings(
        self,
        state: Mapping[str, Any],
        encoding_of: Callable[[str], Encoding | None],
        for_categories: Encoding | None,
    ) -> TableEncoder:
        """Return the encoder with the encodings of the spec, which learned what ``state`` says."""
        groups, states = grouped(self.all_numbers, encoding_of), state.get("encodings", [])
        encoded = isinstance(states, list) and len(states) == len(groups)
        if not encoded or (for_categories is None and "of_categories" in state):
            raise ModelFileError("the encoder of the table has other encodings than the spec inside says")
        encodings = [FittedEncoding.from_state(each, state) for (each, _), state in zip(groups, states, strict=True)]
        if [each.columns for each in encodings] != [names for _, names in groups]:
            raise ModelFileError("the encoder of the table has encodings of other columns than the spec inside says")
        encoder = replace(self, encodings=tuple(encodings))
        if for_categories is None or "of_categories" not in state:
            return encoder
        of_categories = FittedEncoding.from_state(for_categories, state["of_categories"])
        if of_categories.columns != tuple(chain(*encoder.category_features)):
            raise ModelFileError("the encoder of the table encodes other categories than it has")
        return replace(encoder, of_categories=of_categories)


def grouped(
    names: Sequence[str], encoding_of: Callable[[str], Encoding | None]
) -> list[tuple[Encoding, tuple[str, ...]]]:
    """Return each different encoding with the columns that have it; nothing if columns have none."""
    groups: dict[str, tuple[Encoding, tuple[str, ...]]] = {}
    for name in names:
        encoding = encoding_of(name)
        if encoding is not None:
            _, others = groups.get(repr(encoding), (encoding, ()))
            groups[repr(encoding)] = (encoding, (*others, name))
    return list(groups.values())


SIGNS: Final = np.array([1.0, -1.0, 0.0])
"""What stands for the first and the second category, and, as -1 is the last place, for a missing one."""

OTHER: Final = "other"
"""The category of all that are rare in training, or don't occur."""

LONGEST_FEATURE_NAMES: Final = 1 << 26
"""Most characters of a column's name, counted once per category."""

UNKNOWN: Final = -2
"""The code of a category that did not occur in training."""


def _translations(
    known: Iterable[tuple[str, Sequence[str]]], with_other: Collection[str], texts: Sequence[Sequence[str]]
) -> list[NDArray[np.int32]]:
    """Return for each column of texts what its codes are, as ``TableEncoder.translations`` does."""
    translations = []
    for (name, categories), found in zip(known, texts, strict=False):
        positions = {text: position for position, text in enumerate(categories)}
        strange = positions[OTHER] if name in with_other else UNKNOWN
        translations.append(np.array([*(positions.get(text, strange) for text in found), MISSING], np.int32))
    return translations


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


def _are_forms(forms: object, names: Sequence[str]) -> bool:
    """Whether a value says of some columns of categories how they are written, in any order, as JSON has none."""
    return (
        isinstance(forms, dict)
        and forms.keys() <= set(names)
        and all(form in ("sign", "index", "ordinal") for form in forms.values())
    )


def _are_extents(values: object, count: int) -> bool:
    """Whether a value is a list of so many pairs of numbers; or None, which older models have."""
    return values is None or (
        isinstance(values, list) and len(values) == count and all(are_numbers(pair, 2) for pair in values)
    )


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


def _is_column(column: object) -> bool:
    """Whether a value is a list of a name and the categories of that column, which together name the features."""
    match column:
        case [str(name), [*categories]]:
            return are_names([name]) and are_names(categories) and len(name) * len(categories) <= LONGEST_FEATURE_NAMES
    return False
