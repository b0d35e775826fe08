"""Formats texts from files for messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
