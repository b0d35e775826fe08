"""The parts of dates as graph operators, from seconds since 1970."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Graph, Value
from mlpkit_plugins.tables.readers import SECONDS_A_DAY, DatePart, WrongTextError, moment

BEFORE_1970: Final = 719_468
"""Days from 1 March of the year 0 to 1 January 1970."""

CYCLE: Final = 146_097
"""Days in 400 years."""


class DateInGraph:
    """Describes the parts of a date, in float64; NaN stays NaN.

    Args:
        graph: the graph.
        seconds: seconds since 1970, float64.
    """

    def __init__(self, graph: Graph, seconds: Value) -> None:
        self._graph = graph
        self._seconds = seconds

    def part(self, name: str) -> Value:
        """Describe a part.

        Args:
            name: its name, one of ``DATE_PARTS``.
        """
        if name == "elapsed":
            return self._graph.op("Div", self._seconds, np.array(float(SECONDS_A_DAY)))
        return self._graph.op("Where", self._missing, np.array(np.nan), _PARTS[name](self._calendar))

    @cached_property
    def _missing(self) -> Value:
        return self._graph.op("IsNaN", self._seconds)

    @cached_property
    def _calendar(self) -> _Calendar:
        present = self._graph.op("Where", self._missing, np.array(0.0), self._seconds)
        whole = self._graph.cast(self._graph.op("Floor", present), np.int64)
        return _Calendar(self._graph, self._graph.op("Add", whole, BEFORE_1970 * SECONDS_A_DAY))


class _Calendar:
    """The proleptic Gregorian calendar in operators on non-negative integers, where ``Div`` rounds down.

    Years start in March, so that a leap day is the last day of a year.

    Args:
        graph: the graph.
        seconds: seconds since 1 March of the year 0, int64.

    Source: H. Hinnant, chrono-Compatible Low-Level Date Algorithms, 2013.
    """

    def __init__(self, graph: Graph, seconds: Value) -> None:
        self._graph = graph
        self._seconds = seconds
        self._days = self._op("Div", seconds, SECONDS_A_DAY)

    def elapsed_hours(self) -> Value:
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


_PARTS: Final[dict[str, Callable[[_Calendar], Value]]] = {
    "year": _Calendar.year,
    "month": _Calendar.month,
    "day": _Calendar.day,
    "yearday": _Calendar.yearday,
    "weekday": _Calendar.weekday,
    "hour": _Calendar.elapsed_hours,
}


@dataclass(frozen=True)
class DateSeconds(DatePart):
    """Dates as seconds since 1970: in UTC if ``elapsed`` is the only part used, otherwise in local time.

    Args:
        column: the column of the file.
        format: the format of the dates.
        part: any of the parts.
        parts: all parts used of this column.
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
