"""A text from a file, as a message shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SHOWN: Final = 10
"""Items of a list that are shown."""


def shown_text(text: str) -> str:
    """Return a text in quotes, short, and with invalid bytes made visible."""
    short = text if len(text) <= 40 else text[:40] + "..."
    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", repr(short))


def shown_texts(texts: Sequence[str]) -> str:
    """Return the first ten texts in quotes, and how many more there are."""
    return first_of([shown_text(text) for text in texts])


def first_of(items: Sequence[str]) -> str:
    """Return the first ten items, and how many more there are."""
    shown = ", ".join(items[:MOST_SHOWN])
    return f"{shown} and {len(items) - MOST_SHOWN:,} more" if len(items) > MOST_SHOWN else shown
