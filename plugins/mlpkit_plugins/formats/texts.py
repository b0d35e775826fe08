"""Texts in data: whether they are numbers, and how messages show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

MOST_SHOWN: Final = 10
"""The most items of a list in a message."""


def shown_text(text: str) -> str:
    """Return a text in quotes, shortened, and with invalid bytes as escapes."""
    short = text if len(text) <= 40 else text[:40] + "..."
    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", repr(short))


def shown_texts(texts: Sequence[str]) -> str:
    """Join the first ten texts in quotes, and count the rest."""
    return first_of([shown_text(text) for text in texts])


def first_of(items: Sequence[str]) -> str:
    """Join the first ten items, and count the rest."""
    shown = ", ".join(items[:MOST_SHOWN])
    return f"{shown} and {len(items) - MOST_SHOWN:,} more" if len(items) > MOST_SHOWN else shown


def remedy_for_no_names(names: Iterable[str], row: int) -> str:
    """Return what to do if a row of column names seems to hold data; otherwise empty."""
    if not any(map(writes_number, names)):
        return ""
    return f"set header to the names of the columns, if row {row} holds data"


def writes_number(text: str) -> bool:
    """Whether a text is a number, infinity and NaN included."""
    try:
        float(text)
    except ValueError:
        return False
    return True
