"""Encodes the rows of a table for a network, with statistics of the training rows only, which a model file keeps."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import (
    Array,
    DataError,
    Encoding,
    FittedCategoryEncoding,
    FittedEncoding,
    InputColumn,
    ModelFileError,
    TrainingCategories,
    TrainingColumns,
)
from mlpkit_plugins.arrays.raw_rows import raw_by_range
from mlpkit_plugins.formats.encoder_state import are_names, are_numbers
from mlpkit_plugins.functions.rows import means_and_deviations
from mlpkit_plugins.tables.categories import (
    MISSING,
    OTHER,
    CategoryColumns,
    categories_of,
    features_of,
    inputs_of,
    translations,
    why_not_one_hot,
    write,
)
from mlpkit_plugins.tables.options import TableOptions
from mlpkit_plugins.tables.table import Table, parts


class TrainingRows:
    """The training rows of a table: its numbers, then the columns of categories that become numbers.

    The table's codes aren't translated yet; ``columns`` are the columns of categories, once their encodings are fitted.

    Attributes:
        names: the columns of numbers.
    """

    def __init__(
        self,
        table: Table,
        training: NDArray[np.intp],
        translations: Sequence[NDArray[np.int32]],
        columns: CategoryColumns | None = None,
    ) -> None:
        self._table = table
        self._rows = training
        self._translations = translations
        self._columns = columns or CategoryColumns()
        self.names = (*table.columns.numbers, *features_of(self._columns.numbers))

    def categories(self, name: str, categories: Sequence[str]) -> TrainingCategories:
        """Return a column of categories, to fit an encoding."""
        place = self._table.columns.categories.index(name)
        return TrainingCategories(name, categories, self._codes(slice(None), place), self.targets)

    def numbers(self) -> Iterator[NDArray[np.float64]]:
        """Yield blocks of rows of numbers, NaN for missing ones."""
        count = len(self._table.columns.numbers)
        for part in parts(len(self._rows), len(self.names)):
            values = self._table.numbers[self._rows[part], :count]
            yield self._columns.append_to(values, self._all_codes(part)) if self._columns.numbers else values

    def targets(self) -> Array:
        """Return the targets: class numbers, shape (rows,), or values or labels, shape (rows, count)."""
        columns = self._table.columns
        if columns.target_class is not None:
            classes: Array = self._translations[-1][self._table.codes[self._rows, -1]]
            return classes
        values: Array = self._table.numbers[self._rows, len(columns.numbers) :]
        return values

    def fitted(self, encoding: Encoding, names: Sequence[str]) -> FittedEncoding:
        """Fit an encoding on some of the columns of numbers."""
        places = [self.names.index(name) for name in names]
        blocks = lambda: (each[:, places] for each in self.numbers())  # noqa: E731
        return FittedEncoding.fit(encoding, names, TrainingColumns(len(self._rows), len(names), blocks, self.targets))

    def fitted_on_one_hot(self, encoding: Encoding, names: Sequence[str]) -> FittedEncoding:
        """Fit an encoding on one-hot features."""

        def written() -> Iterator[NDArray[np.float64]]:
            for part in parts(len(self._rows), len(names)):
                codes = self._all_codes(part)
                out = np.empty((len(codes), len(names)))
                write(self._columns.one_hot, codes, out)
                yield out

        return FittedEncoding.fit(encoding, names, TrainingColumns(len(self._rows), len(names), written, self.targets))

    def extents(self) -> NDArray[np.float64]:
        """Return the least and greatest present number of each column; 0 and 0 if all are missing."""
        least, greatest = np.full(len(self.names), np.inf), np.full(len(self.names), -np.inf)
        for values in self.numbers():
            least = np.fmin(least, np.fmin.reduce(values, axis=0))
            greatest = np.fmax(greatest, np.fmax.reduce(values, axis=0))
        return np.where(least <= greatest, [least, greatest], 0.0).T

    def sometimes_missing(self) -> NDArray[np.bool_]:
        """Return which columns miss a number in some rows, but not in all."""
        absent = np.zeros(len(self.names), np.int64)
        for values in self.numbers():
            absent += np.isnan(values).sum(axis=0)
        return (absent > 0) & (absent < len(self._rows))

    def _all_codes(self, part: slice) -> NDArray[np.int32]:
        """Return the codes of all columns of categories, -1 for missing and unknown ones."""
        return np.stack([self._codes(part, place) for place in range(len(self._table.columns.categories))], axis=1)

    def _codes(self, part: slice, place: int) -> NDArray[np.int32]:
        """Return the codes of a column of categories, -1 for missing and unknown ones."""
        codes: NDArray[np.int32] = self._translations[place][self._table.codes[self._rows[part], place]]
        return np.maximum(codes, MISSING)


@dataclass(frozen=True)
class TableEncoder:
    """Encodes numbers and categories.

        x = (number - mean) / std   for each column of numbers without an encoding
        x = 1 if the value is that category, else 0   for each category of a one-hot column
        x = 1 if the number is missing, else 0   for each column of numbers that has an indicator

    A missing number is replaced by the mean. Columns of categories that become numbers are encoded like all numbers.
    A category that didn't occur in training counts as missing, unless its column has a category ``other``. Columns
    that are constant in the training rows are left out: nothing can be learned about changes in them.

    Args:
        numbers: names of the columns of numbers.
        means: the number subtracted from each column, columns of encoded categories included.
        stds: the number by which each of these columns is divided.
        fills: the replacement of a missing number.
        columns_of_categories: the columns of categories, each with its encoding.
        classes: the names of the classes; None if no classes are predicted.
        indicators: the columns of numbers that have an indicator.
        with_other: the columns of categories in which ``other`` replaces rare and unknown categories.
        extents: least and greatest number of each column in training, shape (columns, 2).
        encodings: the encodings of the columns of numbers; empty if they are scaled by ``means`` and ``stds``.
        of_categories: the encoding applied to one-hot columns; None to leave them unchanged.
        constant: the columns of numbers that are left out.
    """

    numbers: tuple[str, ...]
    means: NDArray[np.float64]
    stds: NDArray[np.float64]
    fills: NDArray[np.float64]
    columns_of_categories: CategoryColumns
    classes: tuple[str, ...] | None
    indicators: tuple[str, ...]
    with_other: tuple[str, ...]
    extents: NDArray[np.float64]
    encodings: tuple[FittedEncoding, ...] = ()
    of_categories: FittedEncoding | None = None
    constant: tuple[str, ...] = ()

    @classmethod
    def fit(cls, table: Table, training: NDArray[np.intp], options: TableOptions) -> TableEncoder:
        """Learn from the training rows, whose positions are given.

        Raises:
            DataError: numbers are so large that their squares are infinite, or no column varies.
            ParameterError: an encoding doesn't take such a column of categories.
        """
        columns = table.columns
        by_column = [
            categories_of(texts, codes[training], options.rare if name in columns.categories else 1)
            for name, texts, codes in zip(columns.all_categories, table.texts, table.codes.T, strict=True)
        ]
        classes = options.known_classes or (by_column[-1].names if columns.target_class is not None else None)
        known = [(name, each.names) for name, each in zip(columns.categories, by_column, strict=False)]
        with_other = tuple(name for name, each in zip(columns.categories, by_column, strict=False) if each.with_other)
        translated = translations([*known, ("", classes or ())], with_other, table.texts)
        rows = TrainingRows(table, training, translated)
        of_categories = CategoryColumns(
            tuple(options.fitted_on(rows.categories(name, names)) for name, names in known),
            tuple(name for name, each in zip(columns.categories, by_column, strict=False) if each.constant),
        )
        rows = TrainingRows(table, training, translated, of_categories)
        means, stds = _means_and_deviations(rows, table.name)
        absent = rows.sometimes_missing()[: len(columns.numbers)] if options.missing == "indicate" else ()
        extents = rows.extents()
        constant = tuple(name for name, (least, most) in zip(columns.numbers, extents, strict=False) if least == most)
        varying = [name for name in rows.names if name not in constant]
        encoder = cls(
            columns.numbers,
            means if options.standardize else np.zeros_like(means),
            stds if options.standardize else np.ones_like(stds),
            means,
            of_categories,
            classes,
            tuple(name for name, is_absent in zip(columns.numbers, absent, strict=False) if is_absent),
            with_other,
            extents,
            tuple(rows.fitted(encoding, names) for encoding, names in grouped(varying, options.encoding_of)),
            constant=constant,
        )
        if not encoder.width:
            raise DataError(table.name, "no input varies in the training rows, so there is nothing to learn from")
        features = features_of(of_categories.one_hot)
        if options.for_categories is None or not features:
            return encoder
        return replace(encoder, of_categories=rows.fitted_on_one_hot(options.for_categories, features))

    @property
    def categories(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the columns of categories, each with its categories."""
        return self.columns_of_categories.categories

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the encoded columns, in the order of raw inputs."""
        return (*self.numbers, *self.categories)

    @cached_property
    def all_numbers(self) -> tuple[str, ...]:
        """The columns of numbers, and the numbers that columns of categories become."""
        return (*self.numbers, *features_of(self.columns_of_categories.numbers))

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """The columns of ``all_numbers`` that vary, and so are encoded."""
        return tuple(name for name in self.all_numbers if name not in self.constant)

    @cached_property
    def places_of_varying(self) -> list[int] | slice:
        """The positions of ``varying`` in ``all_numbers``."""
        if not self.constant:
            return slice(None)
        return [place for place, name in enumerate(self.all_numbers) if name not in self.constant]

    @cached_property
    def used(self) -> tuple[str, ...]:
        """The columns of ``inputs`` that an encoded row depends on."""
        left_out = {*self.constant, *self.columns_of_categories.constant} - {*self.indicators}
        return tuple(name for name in self.inputs if name not in left_out)

    @cached_property
    def width(self) -> int:
        """Length of an encoded row."""
        return sum(column.width for column in self.columns())

    @cached_property
    def number_features(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each column of numbers with the names of its features, in the order in which they are written."""
        if not self.encodings:
            return tuple((name, (name,)) for name in self.varying)
        return tuple(pair for each in self.encodings for pair in zip(each.columns, each.features(), strict=True))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each element of an encoded row: a column's name, or ``column=category``."""
        numbers = chain(*(features for _, features in self.number_features))
        indices = features_of(self.columns_of_categories.indices)
        return (*numbers, *chain(*self._one_hot), *indices, *(f"{name} is missing" for name in self.indicators))

    def columns(self, dates: Collection[str] = ()) -> list[InputColumn]:
        """Return the column that each element of an encoded row comes from, in order."""
        one_hot = [column.encoding.column for column in self.columns_of_categories.one_hot]
        return [
            *(InputColumn(n, "dates" if n in dates else "numbers", len(names)) for n, names in self.number_features),
            *(InputColumn(n, "one_hot", len(names)) for n, names in zip(one_hot, self._one_hot, strict=True) if names),
            *inputs_of(self.columns_of_categories.indices),
            *(InputColumn(name, "one_hot") for name in self.indicators),
        ]

    def write(self, numbers: NDArray[np.float64], codes: NDArray[np.int32], out: Array) -> None:
        """Write rows of numbers, NaN if missing, and of codes, -1 if unlisted, into ``out``, shape (rows, width)."""
        numbers = self.columns_of_categories.append_to(numbers, codes)
        absent = np.isnan(numbers)
        if absent.any():
            numbers = np.where(absent, self.fills, numbers)
        of_numbers, of_one_hot, of_indices, of_indicators = self._places_of_parts
        out[:, of_numbers] = self.encoded_numbers(numbers)
        self._write_one_hot(codes, out[:, of_one_hot])
        write(self.columns_of_categories.indices, codes, out[:, of_indices])
        out[:, of_indicators] = absent[:, [self.numbers.index(name) for name in self.indicators]]

    def encoded_numbers(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Encode numbers without missing values, shape (rows, features of numbers)."""
        if not self.encodings:
            scaled = numbers - self.means
            scaled /= self.stds
            return scaled[:, self.places_of_varying]
        parts = [each.encode(numbers[:, places]) for each, places in zip(self.encodings, self._places, strict=True)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _write_one_hot(self, codes: NDArray[np.int32], out: Array) -> None:
        columns = self.columns_of_categories.one_hot
        if self.of_categories is None:
            write(columns, codes, out)
        else:
            written = np.empty((len(out), len(features_of(columns))))
            write(columns, codes, written)
            out[:] = self.of_categories.encode(written)

    @cached_property
    def _places_of_parts(self) -> tuple[slice, slice, slice, slice]:
        """The positions of the numbers, the one-hot features, the indices and the indicators in an encoded row."""
        numbers = sum(len(features) for _, features in self.number_features)
        one_hot = numbers + sum(len(features) for features in self._one_hot)
        indices = one_hot + len(features_of(self.columns_of_categories.indices))
        return slice(numbers), slice(numbers, one_hot), slice(one_hot, indices), slice(indices, None)

    @cached_property
    def _places(self) -> list[list[int] | slice]:
        """The positions of each encoding's columns; all of them need no copy."""
        if [each.columns for each in self.encodings] == [self.all_numbers]:
            return [slice(None)]
        places = {name: place for place, name in enumerate(self.all_numbers)}
        return [[places[name] for name in each.columns] for each in self.encodings]

    @cached_property
    def _one_hot(self) -> tuple[tuple[str, ...], ...]:
        """The names of the features of each one-hot column."""
        one_hot = tuple(column.features for column in self.columns_of_categories.one_hot)
        if self.of_categories is None:
            return one_hot
        encoded = iter(self.of_categories.features())
        return tuple(tuple(chain(*(next(encoded) for _ in features))) for features in one_hot)

    def why_not_written(self, rows: Array) -> str:
        """Return why ``write`` can't have encoded these rows; empty if it may have."""
        of_numbers, of_one_hot, _, _ = self._places_of_parts
        numbers, one_hot = rows[:, of_numbers], rows[:, of_one_hot]
        wrong = np.argwhere(np.isnan(numbers))
        if len(wrong):
            row, column = wrong[0]
            name = self.feature_names[column]
            return f"row {row}, counted from 0, has no '{name}', but encoding fills in the mean"
        if self.of_categories is None:
            return why_not_one_hot(self.columns_of_categories.one_hot, one_hot)
        return ""

    def why_perhaps_not_written(self, rows: Array) -> str:
        """Return why ``write`` probably didn't encode these rows; empty without a sign of that."""
        if self.encodings:
            return ""
        places = self.places_of_varying
        means, stds, extents = self.means[places], self.stds[places], self.extents[places]
        raw = raw_by_range(rows[:, : len(self.varying)], means, stds, extents)
        if raw is None:
            return ""
        name, (least, greatest) = self.varying[raw.element], extents[raw.element].tolist()
        mean, std = means[raw.element], stds[raw.element]
        encoded = f"{(least - mean) / std:.3g} to {(greatest - mean) / std:.3g}"
        return f"row {raw.row}, counted from 0, has {raw.value:g} for '{name}', which encoded is {encoded}"


def grouped(
    names: Sequence[str], encoding_of: Callable[[str], Encoding | None]
) -> list[tuple[Encoding, tuple[str, ...]]]:
    """Return each distinct encoding with its columns; columns without an encoding are left out."""
    groups: dict[str, tuple[Encoding, tuple[str, ...]]] = {}
    for name in names:
        encoding = encoding_of(name)
        if encoding is not None:
            _, others = groups.get(repr(encoding), (encoding, ()))
            groups[repr(encoding)] = (encoding, (*others, name))
    return list(groups.values())


def _means_and_deviations(rows: TrainingRows, table: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each column of numbers, which must be finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        means, stds = means_and_deviations(rows.numbers, len(rows.names))
    for name, mean, std in zip(rows.names, means, stds, strict=True):
        if not (math.isfinite(mean) and math.isfinite(std)):
            message = "the numbers are so large that their standard deviation overflows"
            raise DataError(table, message, column=name)
    return means, stds


OTHER_ENCODINGS: Final = "the encodings of the table's encoder don't match the spec inside"

LONGEST_FEATURE_NAMES: Final = 1 << 26
"""The most characters of a column's name, counted once per category."""


def state_of(encoder: TableEncoder) -> dict[str, Any]:
    """Return an encoder as plain data."""
    encodings = encoder.columns_of_categories.encodings
    held = [each.encoding.holds for each in encodings]
    learned = {each.column: each.state() for each in encodings if each.learned}
    constant = [*encoder.constant, *encoder.columns_of_categories.constant]
    return {
        "numbers": list(encoder.numbers),
        "means": encoder.means.tolist(),
        "stds": encoder.stds.tolist(),
        "fills": encoder.fills.tolist(),
        "categories": [[name, list(names)] for name, names in encoder.categories.items()],
        "classes": None if encoder.classes is None else list(encoder.classes),
        **({"indicators": list(encoder.indicators)} if encoder.indicators else {}),
        **({"with_other": list(encoder.with_other)} if encoder.with_other else {}),
        "extents": encoder.extents.tolist(),
        **({"encodings": [each.state() for each in encoder.encodings]} if encoder.encodings else {}),
        **({"held": held} if held else {}),
        **({"learned": learned} if learned else {}),
        **({"of_categories": encoder.of_categories.state()} if encoder.of_categories else {}),
        **({"constant": constant} if constant else {}),
    }


def encoder_from(state: Mapping[str, Any], options: TableOptions) -> TableEncoder:
    """Restore an encoder from its state.

    Raises:
        ModelFileError: ``state_of`` can't have returned this state, or it doesn't match the spec.
    """
    try:
        return _with_encodings(_without_encodings(state, options), state, options)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"the encoder of the table is {reprlib.repr(state)}, which no data set of this kind writes"
        raise ModelFileError(message) from error


def _without_encodings(state: Mapping[str, Any], options: TableOptions) -> TableEncoder:
    numbers, categories, classes = state["numbers"], dict(state["categories"]), state["classes"]
    indicators, with_other, constant = (state.get(key, []) for key in ("indicators", "with_other", "constant"))
    others, all_names = [name for name, names in categories.items() if OTHER in names], [*numbers, *categories]
    named_among = ((numbers, numbers), (indicators, numbers), (with_other, others), (constant, all_names))
    columns = _columns_from(categories, state, options)
    count = len(numbers) + len(features_of(columns.numbers))
    if not (
        are_names(all_names)
        and len(categories) == len(state["categories"])
        and (classes is None or (are_names(classes) and len(classes) > 1))
        and all(are_names(names) and set(names) <= set(known) for names, known in named_among)
        and all(are_numbers(state[key], count, positive=key == "stds") for key in ("means", "stds", "fills"))
        and len(state["extents"]) == count
        and all(are_numbers(pair, 2) for pair in state["extents"])
    ):
        raise ValueError(state)
    means, stds, fills, extents = (np.array(state[key], np.float64) for key in ("means", "stds", "fills", "extents"))
    return TableEncoder(
        tuple(numbers),
        means,
        stds,
        fills,
        columns,
        None if classes is None else tuple(classes),
        tuple(indicators),
        tuple(with_other),
        extents.reshape(-1, 2),
        constant=tuple(name for name in numbers if name in constant),
    )


def _columns_from(categories: Mapping[str, Any], state: Mapping[str, Any], options: TableOptions) -> CategoryColumns:
    """Return the columns of categories with the encodings of the spec, restored from a state."""
    learned = state.get("learned", {})
    for name, names in categories.items():
        if not are_names(names) or len(name) * len(names) > LONGEST_FEATURE_NAMES:
            raise ValueError(name)
    encodings = tuple(
        FittedCategoryEncoding.from_state(
            options.category_encoding_of(name, len(names)), name, names, learned.get(name, {})
        )
        for name, names in categories.items()
    )
    if state.get("held", []) != [each.encoding.holds for each in encodings]:
        raise ModelFileError(OTHER_ENCODINGS)
    return CategoryColumns(encodings, tuple(name for name in categories if name in state.get("constant", ())))


def _with_encodings(encoder: TableEncoder, state: Mapping[str, Any], options: TableOptions) -> TableEncoder:
    """Return the encoder with the encodings of the spec, restored from a state."""
    groups, states = grouped(encoder.varying, options.encoding_of), state.get("encodings", [])
    for_categories = options.for_categories
    encoded = isinstance(states, list) and len(states) == len(groups)
    if not encoded or (for_categories is None and "of_categories" in state):
        raise ModelFileError(OTHER_ENCODINGS)
    encodings = [FittedEncoding.from_state(each, state) for (each, _), state in zip(groups, states, strict=True)]
    if [each.columns for each in encodings] != [names for _, names in groups]:
        raise ModelFileError("the encoded columns of the table's encoder don't match the spec inside")
    encoder = replace(encoder, encodings=tuple(encodings))
    if for_categories is None or "of_categories" not in state:
        return encoder
    of_categories = FittedEncoding.from_state(for_categories, state["of_categories"])
    if of_categories.columns != features_of(encoder.columns_of_categories.one_hot):
        raise ModelFileError("the encoder of the table encodes categories that it doesn't have")
    return replace(encoder, of_categories=of_categories)
