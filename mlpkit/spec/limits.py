"""How large a spec may be; what goes beyond is refused before it costs time or memory."""

from __future__ import annotations

from typing import Final

LARGEST_TEXT: Final = 1024 * 1024
"""Bytes of a file."""

DEEPEST_NESTING: Final = 20
"""Lists and mappings inside one another; also variables that refer to variables."""

MOST_VALUES: Final = 10_000
"""Values of all files of a spec together, of all overrides together, and of the spec once variables are put in."""

MOST_DIGITS: Final = 100
"""Digits of an integer."""

LONGEST_CHAIN: Final = 10
"""Files that a spec extends, directly and through others."""
