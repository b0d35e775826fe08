"""Checks of an encoder's state from an untrusted model file."""

from __future__ import annotations

from typing import Final

LONGEST_NAME: Final = 1 << 17
"""The most characters of a name, as in a field of a CSV file."""
LARGEST_NUMBER: Final = 1.7e308


def are_names(values: object) -> bool:
    """Whether a value is a list of distinct texts of limited length, such as names of classes or columns."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return False
    return len(set(values)) == len(values) and max(map(len, values), default=0) <= LONGEST_NAME


def are_numbers(values: object, count: int, *, positive: bool = False) -> bool:
    """Whether a value is a list of ``count`` finite numbers, all of them above 0 if required."""
    if not isinstance(values, list) or len(values) != count:
        return False
    if not all(type(value) in (int, float) and abs(value) <= LARGEST_NUMBER for value in values):  # false for NaN
        return False
    return not positive or all(value > 0 for value in values)
