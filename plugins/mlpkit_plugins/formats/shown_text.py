"""A text from a file, as a message shows it."""

from __future__ import annotations

import re


def shown_text(text: str) -> str:
    """Return a text in quotes, short, and with invalid bytes made visible."""
    short = text if len(text) <= 40 else text[:40] + "..."
    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", repr(short))
