"""Which characters a spec may hold, in its text and in its strings."""

from __future__ import annotations

import re
from typing import Final

REFUSED: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Control characters, line breaks other than LF and CR, lone surrogates, and the byte order mark inside a text."""


def describe_character(character: str) -> str:
    """Name a character that can't be shown, as in ``U+0007``."""
    from unicodedata import name  # noqa: PLC0415 - only after a mistake

    return f"U+{ord(character):04X} {name(character, '')}".strip()


def shown(line: str) -> str:
    """Return a line with every refused character replaced, safe to print and as long as before."""
    return REFUSED.sub("\ufffd", line)
