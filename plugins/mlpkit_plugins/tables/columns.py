"""The columns of a table: which are read, and how texts become numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mlpkit import did_you_mean
from mlpkit_plugins.formats.texts import shown_text

EXPECTED: Final = "a number or an ISO date, such as 2024-05-31 or 2024-05-31 13:45"

ISO: Final = "iso"
"""The name of the formats of ISO 8601."""

COMMON_FORMATS: Final = (
    ISO,
    *(
        f"{date}{time}"
        for date in (
            *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y"),
            *("%d-%b-%Y", "%d%b%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%y"),
        )
        for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
    ),
)
"""The usual formats of dates."""


def moment_of(text: str, written: str) -> datetime:
    """Parse a date or time in a format, ``iso`` or a pattern of ``strptime``, or raise ``ValueError``."""
    text = text.strip()
    return datetime.fromisoformat(text) if written == ISO else datetime.strptime(text, written)  # noqa: DTZ007


def formats_of(texts: Iterable[str]) -> list[str]:
    """Return the common formats that fit all texts; empty if they aren't dates."""
    distinct = {text.strip() for text in texts}
    return [written for written in COMMON_FORMATS if distinct and all(_is_date(text, written) for text in distinct)]


def _is_date(text: str, written: str) -> bool:
    try:
        moment_of(text, written)
    except ValueError:
        return False
    return not text.isdigit()  # 20240531 may be anything


def seconds_of(text: str) -> float:
    """Return a number unchanged, or the seconds since 1970 of an ISO date or time, in UTC if it names no zone.

    Raises:
        ValueError: the text is neither.
    """
    try:
        number = float(text)
    except ValueError:
        moment = moment_of(text, ISO)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(number):
        raise ValueError(text)
    return number


SECONDS_A_DAY: Final = 86_400

DATE_PARTS: Final[dict[str, Callable[[datetime], float]]] = {
    "elapsed": lambda moment: moment.timestamp() / SECONDS_A_DAY,
    "year": lambda moment: moment.year,
    "month": lambda moment: moment.month,
    "day": lambda moment: moment.day,
    "yearday": lambda moment: moment.timetuple().tm_yday,
    "weekday": lambda moment: moment.weekday(),
    "hour": lambda moment: moment.hour + moment.minute / 60 + moment.second / 3600,
}
"""The numbers that a date or time can give: days since 1970, and parts of the calendar."""


class WrongTextError(ValueError):
    """The text at a position doesn't fit its column; the remedy is for training data."""

    def __init__(self, index: int, message: str, remedy: str) -> None:
        self.index = index
        self.message = message
        self.remedy = remedy
        super().__init__(message)


class ColumnReader(Protocol):
    """Turns the texts of a column into numbers."""

    @property
    def column(self) -> str:
        """The column of the file."""

    def written(self, value: date) -> str:
        """Return the text for a date or time in the column's format."""

    def numbers(self, texts: Sequence[str], missing: Collection[str]) -> NDArray[np.float64]:
        """Return a number for each text; NaN for missing values, infinity for unlisted categories."""


@dataclass(frozen=True)
class OrderedCategories:
    """Ordered categories, each of which becomes its position, from 0.

    Args:
        column: the column of the file.
        levels: the categories, lowest first.
        unlisted: collects unlisted categories, which become infinity; None if they are errors.
    """

    column: str
    levels: tuple[str, ...]
    unlisted: set[str] | None = None

    def written(self, value: date) -> str:
        """Return the date in ISO format."""
        return value.isoformat()

    def numbers(self, texts: Sequence[str], missing: Collection[str]) -> NDArray[np.float64]:
        """Return the position of each category."""
        positions = {level: float(index) for index, level in enumerate(self.levels)} | dict.fromkeys(missing, math.nan)
        numbers = np.empty(len(texts))
        for index, text in enumerate(map(str.strip, texts)):
            if text in positions:
                numbers[index] = positions[text]
            elif self.unlisted is not None:
                self.unlisted.add(text)
                numbers[index] = math.inf
            else:
                message = f"{shown_text(texts[index])} is not one of {', '.join(self.levels)}"
                remedy = did_you_mean(text, self.levels) or f"add it to ordinal: {{{self.column}: [...]}}"
                raise WrongTextError(index, message, remedy)
        return numbers


@dataclass(frozen=True)
class DatePart:
    """A number from a date or time.

    Args:
        column: the column of the file.
        format: the format of the dates, ``iso`` or a pattern of Python's ``strptime``.
        part: the part of the date, one of ``DATE_PARTS``.
    """

    column: str
    format: str
    part: str

    def written(self, value: date) -> str:
        """Return the date in the column's format."""
        return value.isoformat() if self.format == ISO else value.strftime(self.format)

    def numbers(self, texts: Sequence[str], missing: Collection[str]) -> NDArray[np.float64]:
        """Return the part of each date."""
        part = DATE_PARTS[self.part]
        numbers = np.empty(len(texts))
        for index, text in enumerate(texts):
            if text.strip() in missing:
                numbers[index] = math.nan
                continue
            try:
                numbers[index] = part(moment(text, self.format))
            except ValueError as error:
                expected = "an ISO date, such as 2024-05-31" if self.format == ISO else f"a date like {self.format}"
                remedy = (
                    "write one" if self.format != ISO else f"write one, or set dates: {{{self.column}: '%d.%m.%Y'}}"
                )
                raise WrongTextError(index, f"{shown_text(text)} is not {expected}", remedy) from error
        return numbers


@lru_cache(maxsize=4096)
def moment(text: str, written: str) -> datetime:
    """Parse a date or time as ``moment_of`` does; it is in UTC if it names no zone."""
    parsed = moment_of(text, written)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Columns:
    """The columns to read from a table, by name, in the order of the table.

    Args:
        numbers: inputs that are numbers.
        categories: inputs that are categories.
        target_numbers: targets that are numbers; empty if classes are predicted.
        target_class: the column of classes to predict; None if numbers are predicted, or there is no target.
        key: the column whose text decides the split of a row.
        key_is_time: whether the key column holds times, and rows are split in their order.
        readers: how the texts of some columns of numbers are read; all others hold plain numbers.
        trained: whether a trained model reads them, so that advice can't be about the parameters of the data set.
        weight: the column of weights; None if all rows count equally, or are for prediction.
        in_python: whether the table was passed to ``mlpkit.fit``, so that advice is about its arguments.
        missing_numbers: the numbers that mean a missing value in single columns of numbers.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    target_numbers: tuple[str, ...] = ()
    target_class: str | None = None
    key: str | None = None
    key_is_time: bool = False
    readers: Mapping[str, ColumnReader] = field(default_factory=dict)
    trained: bool = False
    weight: str | None = None
    in_python: bool = False
    missing_numbers: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def setting(self, parameter: str, value: str) -> str:
        """Return the advice to set a parameter: in a spec, or as an argument of ``mlpkit.fit``."""
        return f"pass {parameter}={value!r} to mlpkit.fit" if self.in_python else f"set {parameter}: {value}"

    def name_in_file(self, name: str) -> str:
        """Return the column of the file from which a column of numbers is made."""
        return self.readers[name].column if name in self.readers else name

    @property
    def names_in_file(self) -> tuple[str, ...]:
        """The columns of the file: numbers, texts, weight and key."""
        others = [name for name in (self.weight, self.key) if name is not None]
        return (*map(self.name_in_file, self.all_numbers), *self.all_categories, *others)

    @property
    def has_target(self) -> bool:
        """Whether a target is read; rows for prediction don't need one."""
        return bool(self.target_numbers) or self.target_class is not None

    @property
    def all_numbers(self) -> tuple[str, ...]:
        """The columns of numbers, inputs first."""
        return self.numbers + self.target_numbers

    @property
    def all_categories(self) -> tuple[str, ...]:
        """The columns of texts, inputs first."""
        return self.categories + ((self.target_class,) if self.target_class is not None else ())


class Chunk(NamedTuple):
    """Some consecutive rows.

    Args:
        rows: the number of each row in the file, counted from 1.
        numbers: the columns of numbers, shape (rows, columns); NaN for missing values.
        codes: the columns of texts, shape (rows, columns), as codes of their codebooks.
        keys: a hash of the text in the key column for each row, or the bits of its time in seconds; None if there is
            no key column.
        weights: the weight of each row, NaN for missing ones; None if there is no column of weights.
    """

    rows: NDArray[np.int64]
    numbers: NDArray[np.float64]
    codes: NDArray[np.int32]
    keys: NDArray[np.uint64] | None
    weights: NDArray[np.float64] | None

    def rows_where(self, kept: NDArray[np.bool_]) -> Chunk:
        """Return some of the rows."""
        keys = None if self.keys is None else self.keys[kept]
        weights = None if self.weights is None else self.weights[kept]
        return Chunk(self.rows[kept], self.numbers[kept], self.codes[kept], keys, weights)
