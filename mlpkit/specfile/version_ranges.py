"""Versions of distributions, and ranges of them as pip takes them."""

from __future__ import annotations

from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

LONGEST: Final = 200
"""Characters; what is longer is neither, and a number of thousands of digits is more than Python reads."""


def version_range(text: str) -> SpecifierSet | None:
    """Return the range that a text such as ``>=1.2,<2`` means; None if it means none."""
    if not text or len(text) > LONGEST:
        return None
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return None


def is_version(text: str) -> bool:
    """Whether a text is a version, such as ``1.2``."""
    if len(text) > LONGEST:
        return False
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
