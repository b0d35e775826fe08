"""A table's encoder as graph operators, and the inputs that they take."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import ML_DOMAIN, Array, Graph, Value
from mlpkit_plugins.tables.categories import MISSING, OTHER, CategoryColumn
from mlpkit_plugins.tables.columns import (
    SECONDS_A_DAY,
    ColumnReader,
    Columns,
    DatePart,
    OrderedCategories,
    WrongTextError,
    moment,
)
from mlpkit_plugins.tables.encoder import TableEncoder
from mlpkit_plugins.tables.options import TableOptions
from mlpkit_plugins.tables.source import TableSource
from mlpkit_plugins.tables.table import Table
from mlpkit_plugins.tables.text_numbers import numbers_among

BEFORE_1970: Final = 719_468
"""Days from 1 March of the year 0 to 1 January 1970."""

CYCLE: Final = 146_097
"""Days in 400 years."""


class DateInGraph:
    """Describes the parts of a date, from seconds since 1970, in float64; NaN stays NaN.

    The calendar is the proleptic Gregorian one, in operators on non-negative int64, on which ``Div`` rounds down. Years
    start in March, so that a leap day is the last day of a year.

    Source: H. Hinnant, chrono-Compatible Low-Level Date Algorithms, 2013.
    """

    def __init__(self, graph: Graph, since_1970: Value) -> None:
        self._graph = graph
        self._since_1970 = since_1970

    def part(self, name: str) -> Value:
        """Describe a part, one of ``DATE_PARTS``."""
        if name == "elapsed":
            return self._op("Div", self._since_1970, np.array(float(SECONDS_A_DAY)))
        return self._op("Where", self._missing, np.array(np.nan), getattr(self, name)())

    @cached_property
    def _missing(self) -> Value:
        return self._op("IsNaN", self._since_1970)

    @cached_property
    def _seconds(self) -> Value:
        """The seconds since 1 March of the year 0."""
        present = self._op("Where", self._missing, np.array(0.0), self._since_1970)
        whole = self._graph.cast(self._op("Floor", present), np.int64)
        return self._op("Add", whole, BEFORE_1970 * SECONDS_A_DAY)

    @cached_property
    def _days(self) -> Value:
        return self._op("Div", self._seconds, SECONDS_A_DAY)

    def hour(self) -> Value:
        """Return the hour, with minutes and seconds as a fraction."""
        of_day = self._modulo(self._seconds, SECONDS_A_DAY)
        of_hour = self._modulo(of_day, 3600)
        hour = self._float(self._op("Div", of_day, 3600))
        minutes = self._op("Div", self._float(self._op("Div", of_hour, 60)), np.array(60.0))
        seconds = self._op("Div", self._float(self._modulo(of_hour, 60)), np.array(3600.0))
        return self._op("Add", self._op("Add", hour, minutes), seconds)

    def weekday(self) -> Value:
        """Return the day of the week; Monday is 0."""
        return self._float(self._modulo(self._op("Add", self._days, 2), 7))

    def year(self) -> Value:
        """Return the year."""
        return self._float(self._year)

    def month(self) -> Value:
        """Return the month, from 1."""
        month = self._month_from_march
        return self._float(self._op("Add", month, self._op("Sub", 3, self._op("Mul", 12, self._is_early(month)))))

    def day(self) -> Value:
        """Return the day of the month, from 1."""
        begin = self._op("Div", self._op("Add", self._op("Mul", 153, self._month_from_march), 2), 5)
        return self._float(self._op("Add", self._op("Sub", self._day_of_year, begin), 1))

    def yearday(self) -> Value:
        """Return the day of the year, from 1."""
        before = self._op("Sub", self._year, 1)
        january = self._op("Add", self._days_before(before), 306)
        return self._float(self._op("Add", self._op("Sub", self._days, january), 1))

    @cached_property
    def _year(self) -> Value:
        cycles = self._op("Mul", self._op("Div", self._days, CYCLE), 400)
        begun = self._op("Add", cycles, self._year_of_cycle)
        return self._op("Add", begun, self._is_early(self._month_from_march))

    @cached_property
    def _month_from_march(self) -> Value:
        """Return the month from 0 for March to 11 for February."""
        return self._op("Div", self._op("Add", self._op("Mul", 5, self._day_of_year), 2), 153)

    def _is_early(self, month: Value) -> Value:
        """Return 1 for January and February, else 0."""
        return self._op("Div", month, 10)

    @cached_property
    def _day_of_year(self) -> Value:
        """Return the day of the year that starts in March, from 0."""
        return self._op("Sub", self._day_of_cycle, self._days_before(self._year_of_cycle))

    @cached_property
    def _day_of_cycle(self) -> Value:
        return self._modulo(self._days, CYCLE)

    @cached_property
    def _year_of_cycle(self) -> Value:
        day = self._day_of_cycle
        leap_days = self._op("Sub", self._op("Div", day, 36_524), self._op("Div", day, 1460))
        leap_days = self._op("Sub", leap_days, self._op("Div", day, CYCLE - 1))
        return self._op("Div", self._op("Add", day, leap_days), 365)

    def _days_before(self, year: Value) -> Value:
        """Return the days from March of the year 0 to March of a year."""
        days = self._op("Add", self._op("Mul", 365, year), self._op("Div", year, 4))
        return self._op("Add", self._op("Sub", days, self._op("Div", year, 100)), self._op("Div", year, 400))

    def _modulo(self, number: Value, divisor: int) -> Value:
        return self._op("Sub", number, self._op("Mul", self._op("Div", number, divisor), divisor))

    def _float(self, number: Value) -> Value:
        return self._graph.cast(number, np.float64)

    def _op(self, operator: str, *inputs: Value | Array | int) -> Value:
        return self._graph.op(operator, *inputs)


@dataclass(frozen=True)
class DateSeconds(DatePart):
    """Dates as seconds since 1970: in UTC if ``elapsed`` is the only part used, otherwise in local time.

    ``parts`` are all parts used of this column.
    """

    parts: tuple[str, ...] = ()

    def numbers(self, texts: Sequence[str], missing: Collection[str]) -> NDArray[np.float64]:
        """Return the seconds of each date.

        Raises:
            WrongTextError: a text isn't a date, or has an offset from UTC that a single number can't express.
        """
        seconds = super().numbers(texts, missing)
        for index in np.flatnonzero(~np.isnan(seconds)).tolist():
            time = moment(texts[index], self.format)
            if self.parts != ("elapsed",):
                if "elapsed" in self.parts and time.utcoffset():
                    message = "an exported model takes the seconds of one clock, and this date has an offset from UTC"
                    raise WrongTextError(index, message, "train on dates without offsets")
                time = time.replace(tzinfo=UTC)
            seconds[index] = time.timestamp()
        return seconds


NUMBER: Final = "NaN if it is missing; 1 and 0 for yes and no"
CLOCK: Final = "seconds since 1970-01-01 00:00 on the clock that the date shows; NaN if it is missing"
UTC_SECONDS: Final = "seconds since 1970-01-01 00:00 UTC; NaN if it is missing"
TEXT: Final = "as in the file, without blanks around it; empty if it is missing"


@dataclass(frozen=True)
class TableInGraph:
    """Describes a table's encoder: raw columns as inputs, and the operations of ``TableEncoder.write``.

    Numbers are computed in float64 and converted to the network's dtype where the encoder does so. A missing text is
    empty; a category that no training row has becomes zeros, or ``other``.
    """

    graph: Graph
    encoder: TableEncoder
    options: TableOptions
    dates: dict[str, DateInGraph] = field(default_factory=dict, init=False)

    @cached_property
    def _readers(self) -> Mapping[str, ColumnReader]:
        return self.options.readers

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
        match self._readers.get(name):
            case OrderedCategories(column, levels):
                return self._place(column, levels)
            case DatePart(column, _, part):
                return self._date(column).part(part)
        typical, extent = self._known(name)
        number = feed = self.graph.feed(name, "float64", meaning=NUMBER, typical=typical, extent=extent)
        absent_numbers = self.options.missing_numbers.get(name, ())
        for absent in (*numbers_among(self.options.missing_texts), *absent_numbers):
            is_absent = self.graph.op("Equal", feed, np.array(float(absent)))
            number = self.graph.op("Where", is_absent, np.array(np.nan), number)
        return number

    def _place(self, column: str, levels: Sequence[str]) -> Value:
        codes = self._codes(column, levels, MISSING)
        missing = self.graph.op("Less", codes, 0)
        return self.graph.op("Where", missing, np.array(np.nan), self.graph.cast(codes, np.float64))

    def _date(self, column: str) -> DateInGraph:
        if column not in self.dates:
            in_days = self._known(f"{column} (elapsed)")
            typical, extent = (each and (each[0] * SECONDS_A_DAY, each[1] * SECONDS_A_DAY) for each in in_days)
            seconds = self.graph.feed(
                column,
                "float64",
                kind="date",
                meaning=UTC_SECONDS if parts_of(self._readers, column) == ("elapsed",) else CLOCK,
                typical=typical,
                extent=extent,
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
        codes = dict.fromkeys(("", *self.options.missing_texts), MISSING) | {
            text: code for code, text in enumerate(categories)
        }
        return self.graph.op(
            "LabelEncoder",
            self.graph.feed(column, "str", kind="category", meaning=TEXT, choices=categories),
            domain=ML_DOMAIN,
            keys_strings=[*codes],
            values_int64s=[*codes.values()],
            default_int64=unknown,
        )

    def _known(self, name: str) -> tuple[tuple[float, float] | None, ...]:
        """Return mean and deviation, and least and greatest number, of a column; None if the encoder hasn't them."""
        if name not in self.encoder.numbers:
            return None, None
        place = self.encoder.numbers.index(name)
        least, greatest = self.encoder.extents[place].tolist()
        return (float(self.encoder.fills[place]), float(self.encoder.stds[place])), (least, greatest)

    def _as_column(self, values: Value) -> Value:
        return self.graph.op("Unsqueeze", values, np.array([1]))

    def _beside(self, parts: Sequence[Value]) -> Value:
        return self.graph.op("Concat", *parts, axis=1)

    def _as_input(self, values: Value) -> Value:
        return self.graph.cast(values, self.graph.dtype)


def parts_of(readers: Mapping[str, ColumnReader], column: str) -> tuple[str, ...]:
    """Return the parts used of a column of dates; empty for another column."""
    return tuple(reader.part for reader in readers.values() if isinstance(reader, DatePart) and reader.column == column)


def column_feeds(source: TableSource, encoder: TableEncoder, options: TableOptions) -> dict[str, Array]:
    """Return columns as the inputs that ``TableInGraph`` declares, by name."""
    readers = options.readers
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
    table = Table(source, columns, missing="fill")
    feeds: dict[str, Array] = dict(zip(columns.numbers, table.numbers.T, strict=True))
    for name, texts, codes in zip(columns.categories, table.texts, table.codes.T, strict=True):
        feeds[name] = np.array([*texts, ""], object)[codes]
    return feeds
