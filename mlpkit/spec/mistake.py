"""A mistake in a text, before it is reported as a fault."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """What is wrong, for a fault.

    Args:
        start: position of the first wrong character.
        end: position after the last.
        message: what is wrong.
        remedy: what to do.
        notes: further places that matter, each a line.
    """

    start: int
    end: int
    message: str
    remedy: str = ""
    notes: tuple[str, ...] = ()


def missing_space(colon: int) -> Mistake:
    """Return the mistake of a colon with no space after it."""
    return Mistake(colon, colon + 1, "a space is missing after ':'", "write 'key: value'")


def another_document(position: int) -> Mistake:
    """Return the mistake of a second document in one file."""
    return Mistake(position, position + 3, "a second document begins here", "keep one spec in a file")
