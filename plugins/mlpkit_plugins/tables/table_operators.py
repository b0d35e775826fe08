"""A table's encoder as graph operators, and the inputs that they take."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mlpkit import ML_DOMAIN, Array, Graph, Value
from mlpkit_plugins.tables.categories import OTHER
from mlpkit_plugins.tables.category_columns import CategoryColumn
from mlpkit_plugins.tables.codebook import MISSING
from mlpkit_plugins.tables.date_operators import DateInGraph, DateSeconds
from mlpkit_plugins.tables.encoder import TableEncoder
from mlpkit_plugins.tables.readers import SECONDS_A_DAY, ColumnReader, DatePart, OrderedCategories
from mlpkit_plugins.tables.source import Columns, TableSource
from mlpkit_plugins.tables.table import Table
from mlpkit_plugins.tables.text_numbers import numbers_among

NUMBER: Final = "NaN if it is missing; 1 and 0 for yes and no"
CLOCK: Final = "seconds since 1970-01-01 00:00 on the clock that the date shows; NaN if it is missing"
UTC_SECONDS: Final = "seconds since 1970-01-01 00:00 UTC; NaN if it is missing"
TEXT: Final = "as in the file, without blanks around it; empty if it is missing"


@dataclass(frozen=True)
class TableInGraph:
    """Describes a table's encoder: raw columns as inputs, and the operations of ``TableEncoder.write``.

    Numbers are computed in float64 and converted to the network's dtype where the encoder does so. A missing text is
    empty; a category that no training row has becomes zeros, or ``other``.

    Args:
        graph: the graph.
        encoder: the encoder.
        readers: the readers of dates and ordered categories, by the name of the number that each gives.
        missing: texts that mean a missing value.
        missing_numbers: numbers that mean a missing value in single columns.
    """

    graph: Graph
    encoder: TableEncoder
    readers: Mapping[str, ColumnReader]
    missing: Collection[str]
    missing_numbers: Mapping[str, Sequence[float]]
    dates: dict[str, DateInGraph] = field(default_factory=dict, init=False)

    def encoded(self) -> Value:
        """Describe an encoded row, of the network's dtype, and return it."""
        encoder = self.encoder
        columns = {name: self._as_column(self._number(name)) for name in encoder.numbers if name in encoder.used}
        of_categories = [self._encoded(each) for each in encoder.columns_of_categories.numbers]
        numbers = [*(column for name, column in columns.items() if name in encoder.varying), *of_categories]
        parts = [self._as_input(self._numbers(numbers))] if numbers else []
        parts += self._one_hot()
        parts += [self._as_input(self._encoded(each)) for each in encoder.columns_of_categories.indices]
        if encoder.indicators:
            parts.append(self._as_input(self.graph.op("IsNaN", self._beside([columns[n] for n in encoder.indicators]))))
        return self._beside(parts)

    def _numbers(self, columns: Sequence[Value]) -> Value:
        """Describe (number - mean) / std, or the encodings of numbers, with the mean for a missing number."""
        graph, encoder = self.graph, self.encoder
        numbers = self._beside(columns)
        means, stds, fills = (each[encoder.places_of_varying] for each in (encoder.means, encoder.stds, encoder.fills))
        filled = graph.op("Where", graph.op("IsNaN", numbers), fills, numbers)
        if not encoder.encodings:
            return graph.op("Div", graph.op("Sub", filled, means), stds)
        if len(encoder.encodings) == 1:
            return encoder.encodings[0].onnx(graph, filled)
        places = {name: place for place, name in enumerate(encoder.varying)}
        groups = [np.array([places[name] for name in each.columns]) for each in encoder.encodings]
        parts = [graph.op("Gather", filled, group, axis=1) for group in groups]
        return self._beside([each.onnx(graph, part) for each, part in zip(encoder.encodings, parts, strict=True)])

    def _number(self, name: str) -> Value:
        """Describe a column of numbers, float64, NaN for missing ones."""
        match self.readers.get(name):
            case OrderedCategories(column, levels):
                return self._place(column, levels)
            case DatePart(column, _, part):
                return self._date(column).part(part)
        number = feed = self.graph.feed(
            name, "float64", meaning=NUMBER, typical=self._typical(name), extent=self._extent(name)
        )
        for absent in (*numbers_among(self.missing), *self.missing_numbers.get(name, ())):
            is_absent = self.graph.op("Equal", feed, np.array(float(absent)))
            number = self.graph.op("Where", is_absent, np.array(np.nan), number)
        return number

    def _place(self, column: str, levels: Sequence[str]) -> Value:
        codes = self._codes(column, levels, MISSING)
        missing = self.graph.op("Less", codes, 0)
        return self.graph.op("Where", missing, np.array(np.nan), self.graph.cast(codes, np.float64))

    def _date(self, column: str) -> DateInGraph:
        if column not in self.dates:
            elapsed = f"{column} (elapsed)"
            seconds = self.graph.feed(
                column,
                "float64",
                kind="date",
                meaning=UTC_SECONDS if parts_of(self.readers, column) == ("elapsed",) else CLOCK,
                typical=_in_seconds(self._typical(elapsed)),
                extent=_in_seconds(self._extent(elapsed)),
            )
            self.dates[column] = DateInGraph(self.graph, seconds)
        return self.dates[column]

    def _one_hot(self) -> list[Value]:
        """Describe one-hot columns."""
        of_categories = self.encoder.of_categories
        written = [self._encoded(each) for each in self.encoder.columns_of_categories.one_hot if each.features]
        if of_categories is None:
            return [self._as_input(each) for each in written]
        one_hot = self._beside([self.graph.cast(each, np.float64) for each in written])
        return [self._as_input(of_categories.onnx(self.graph, one_hot))]

    def _encoded(self, column: CategoryColumn) -> Value:
        """Describe the encoding of a column of categories."""
        encoding = column.encoding
        name, categories = encoding.column, encoding.categories
        unknown = categories.index(OTHER) if name in self.encoder.with_other else MISSING
        return encoding.onnx(self.graph, self._codes(name, categories, unknown))

    def _codes(self, column: str, categories: Sequence[str], unknown: int) -> Value:
        """Describe the positions of texts in a list of categories; -1 for a missing text."""
        codes = dict.fromkeys(("", *self.missing), MISSING) | {text: code for code, text in enumerate(categories)}
        return self.graph.op(
            "LabelEncoder",
            self.graph.feed(column, "str", kind="category", meaning=TEXT, choices=categories),
            domain=ML_DOMAIN,
            keys_strings=[*codes],
            values_int64s=[*codes.values()],
            default_int64=unknown,
        )

    def _typical(self, name: str) -> tuple[float, float] | None:
        """Return mean and standard deviation of a column of numbers; None if the encoder doesn't know them."""
        if name not in self.encoder.numbers:
            return None
        position = self.encoder.numbers.index(name)
        return float(self.encoder.fills[position]), float(self.encoder.stds[position])

    def _extent(self, name: str) -> tuple[float, float] | None:
        """Return least and greatest number of a column in training; None if the encoder doesn't know them."""
        if name not in self.encoder.numbers:
            return None
        least, greatest = self.encoder.extents[self.encoder.numbers.index(name)].tolist()
        return least, greatest

    def _as_column(self, values: Value) -> Value:
        return self.graph.op("Unsqueeze", values, np.array([1]))

    def _beside(self, parts: Sequence[Value]) -> Value:
        return self.graph.op("Concat", *parts, axis=1)

    def _as_input(self, values: Value) -> Value:
        return self.graph.cast(values, self.graph.dtype)


def _in_seconds(days: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if days is None else (days[0] * SECONDS_A_DAY, days[1] * SECONDS_A_DAY)


def parts_of(readers: Mapping[str, ColumnReader], column: str) -> tuple[str, ...]:
    """Return the parts used of a column of dates; empty for another column."""
    return tuple(reader.part for reader in readers.values() if isinstance(reader, DatePart) and reader.column == column)


def column_feeds(
    source: TableSource, encoder: TableEncoder, readers: Mapping[str, ColumnReader], missing: Collection[str]
) -> dict[str, Array]:
    """Return columns as the inputs that ``TableInGraph`` declares, by name.

    Args:
        source: the columns.
        encoder: the encoder.
        readers: the readers of dates and ordered categories, by the name of the number that each gives.
        missing: texts that mean a missing value.

    Raises:
        DataError: a value doesn't fit its column.
    """
    numbers = [name for name in encoder.numbers if name in encoder.used]
    used = [readers.get(name) for name in numbers]
    seconds: dict[str, ColumnReader] = {
        reader.column: DateSeconds(reader.column, reader.format, reader.part, parts_of(readers, reader.column))
        for reader in used
        if isinstance(reader, DatePart)
    }
    ordered = [reader.column for reader in used if isinstance(reader, OrderedCategories)]
    plain = [name for name in numbers if name not in readers]
    categories = [name for name in encoder.categories if name in encoder.used]
    columns = Columns((*plain, *seconds), (*ordered, *categories), readers=seconds, trained=True)
    table = Table(source, columns, missing="fill", missing_texts=missing)
    feeds: dict[str, Array] = dict(zip(columns.numbers, table.numbers.T, strict=True))
    for name, texts, codes in zip(columns.categories, table.texts, table.codes.T, strict=True):
        feeds[name] = np.array([*texts, ""], object)[codes]
    return feeds
