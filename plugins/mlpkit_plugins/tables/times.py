"""Dates and times written as texts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

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


class NotATimeError(ValueError):
    """A text is not a time.

    Args:
        index: the position of the text.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(index)


def moment_of(text: str, written: str) -> datetime:
    """Parse a date or time.

    Args:
        text: the text.
        written: its format, ``iso`` or a pattern of Python's ``strptime``.

    Raises:
        ValueError: the text isn't a date in this format.
    """
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
