"""Converts texts other than plain numbers to numbers: ordered categories and dates."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mlpkit import did_you_mean
from mlpkit_plugins.formats.shown_text import shown_text

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
