"""Tells a header from a row of data."""

from __future__ import annotations

from collections.abc import Iterable


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
