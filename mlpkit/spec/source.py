"""A text with a name, and places in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from mlpkit.errors import SpecFault, abridged
from mlpkit.spec.characters import shown

LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")

LONGEST_SHOWN_LINE: Final = 500
"""Characters of a source line up to which a message shows it."""

LONGEST_QUOTED_OVERRIDE: Final = 200
"""Characters of an override in a note on another place."""


@dataclass(frozen=True, eq=False)
class SourceText:
    """A text that values of a spec stand in: a file, or an override.

    Args:
        name: the file's path as given, or what stands for it in messages.
        text: the whole text.
        order: its position among the texts of one spec: the file, those it extends, the overrides.
        notes: how the spec came to this text, each a line.
        override: whether it is an override, which is quoted where a file's place would be named.
    """

    name: str
    text: str
    order: int = 0
    notes: tuple[str, ...] = ()
    override: bool = False

    @cached_property
    def line_starts(self) -> list[int]:
        """Position of each line's first character."""
        return [0, *(found.end() for found in LINE_BREAK.finditer(self.text))]

    def line_number(self, position: int) -> int:
        """Return the line of a position, counted from 1."""
        return bisect_right(self.line_starts, position)

    def line_end(self, number: int) -> int:
        """Return the position after a line's last character, before its line break.

        Args:
            number: counted from 1.
        """
        if number == len(self.line_starts):
            return len(self.text)
        following = self.line_starts[number]
        return following - (2 if self.text.endswith("\r\n", 0, following) else 1)

    def line(self, number: int) -> str:
        """Return a line without its line break.

        Args:
            number: counted from 1.
        """
        return self.text[self.line_starts[number - 1] : self.line_end(number)]


@dataclass(frozen=True)
class Place:
    """A stretch of a text.

    Args:
        text: the text.
        start: position of its first character, counted from 0.
        end: position after its last character.
    """

    text: SourceText
    start: int
    end: int

    @property
    def file(self) -> str:
        """The text's name."""
        return self.text.name

    @property
    def line(self) -> int:
        """Line of the first character, counted from 1."""
        return self.text.line_number(self.start)

    @property
    def column(self) -> int:
        """Column of the first character, counted from 1."""
        return self.start - self.text.line_starts[self.line - 1] + 1

    @property
    def source(self) -> str:
        """That line, fit to be printed; empty if it is too long to be of help."""
        number = self.line
        length = self.text.line_end(number) - self.text.line_starts[number - 1]
        return shown(self.text.line(number)) if length <= LONGEST_SHOWN_LINE else ""

    @property
    def width(self) -> int:
        """How many characters of that line belong to it, at least 1."""
        return max(1, min(self.end, self.text.line_end(self.line)) - self.start)

    @property
    def quoted(self) -> str:
        """The place for notes: an override is quoted whole, as its columns say little."""
        if not self.text.override:
            return str(self)
        text = self.text.text
        whole = len(text) <= LONGEST_QUOTED_OVERRIDE
        return f"{self.file} {shown(text if whole else f'{text[:LONGEST_QUOTED_OVERRIDE]}...')}"

    def fault(self, message: str, *, expected: str = "", remedy: str = "", notes: tuple[str, ...] = ()) -> SpecFault:
        """Return a fault at this place; the notes of the text follow its own."""
        return SpecFault(
            self.file,
            self.line,
            self.column,
            _told(message),
            source=self.source,
            width=self.width,
            expected=_told(expected),
            remedy=_told(remedy),
            notes=tuple(_told(note) for note in (*notes, *self.text.notes)),
        )

    def __str__(self) -> str:
        """Read as ``file:line:column``."""
        return f"{self.file}:{self.line}:{self.column}"


def _told(text: str) -> str:
    """Return a text fit to be printed, and not too long for it."""
    return shown(abridged(text))
