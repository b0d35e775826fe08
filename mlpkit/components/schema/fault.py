"""What is wrong with a value, and where in a nested structure it sits."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices that lead from the outermost value to one inside it."""

MOST_FAULTS: Final = 100
"""Faults that are told at once; more help nobody."""


class Fault(NamedTuple):
    """One wrong value.

    Args:
        path: where the value is.
        message: what is wrong.
        expected: what was expected instead.
        remedy: what to do.
        at_key: whether the key itself is wrong, and not its value.
        notes: further places that matter, each a line.
    """

    path: Path
    message: str
    expected: str = ""
    remedy: str = ""
    at_key: bool = False
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write the fault in one line, for callers who have no file to point into."""
        place = ".".join(str(part) for part in self.path)
        text = f"{place}: {self.message}" if place else self.message
        if self.expected:
            text += f"; expected {self.expected}"
        return f"{text}; {self.remedy}" if self.remedy else text
