"""A spec's text, places in it, limits on its size, and a list of what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple, TypedDict, Unpack

from mlpkit.components.schema.context import MOST_PROBLEMS
from mlpkit.errors import Code, Diagnostic, Fix, SpecSyntaxError, abridged

LARGEST_TEXT: Final = 1024 * 1024
"""Bytes of a file."""

MOST_LINES: Final = 100_000
"""Lines of a file."""

DEEPEST_NESTING: Final = 20
"""Lists and mappings inside one another; also variables that refer to variables."""

TOO_DEEP: Final = f"lists and mappings are nested more than {DEEPEST_NESTING} levels deep"

MOST_VALUES: Final = 10_000
"""Values of all files of a spec together, of all overrides together, and of the spec once variables are put in."""

MOST_DIGITS: Final = 100
"""Digits of an integer."""

REFUSED: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Control characters, line breaks other than LF and CR, lone surrogates, and the byte order mark inside a text."""


def describe_character(character: str) -> str:
    """Name a character that can't be shown, as in ``U+0007``."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()


def shown(line: str) -> str:
    """Return a line with every refused character replaced, safe to print and as long as before."""
    return REFUSED.sub("\ufffd", line)


LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")

COLON_WITHOUT_SPACE: Final = re.compile(r"\s*(?:- +)?[A-Za-z_][\w.]*(:)[^\s:/\\]", re.ASCII)
"""A line such as ``batch_size:128``."""

LONGEST_SHOWN_LINE: Final = 500
"""Characters of a source line up to which a message shows it."""


@dataclass(frozen=True, eq=False)
class SourceText:
    """A text that holds values of a spec: a file, or an override.

    Args:
        name: the file's path as given, or what stands for it in messages.
        text: the whole text.
        order: its position among the texts of one spec: the file, those it extends, the overrides.
        notes: how the spec came to this text, each a line.
        override: whether it is an override, which is quoted where a file's place would be named.
        key_only: whether it is only the dotted path of a key, as for values from Python.
        folder: the file's folder, which relative paths in it start from; None for the current folder.
    """

    name: str
    text: str
    order: int = 0
    notes: tuple[str, ...] = ()
    override: bool = False
    key_only: bool = False
    folder: Path | None = None

    @cached_property
    def line_starts(self) -> list[int]:
        """Position of each line's first character."""
        return [0, *(found.end() for found in LINE_BREAK.finditer(self.text))]

    def line_number(self, position: int) -> int:
        """Return the line of a position, counted from 1."""
        return bisect_right(self.line_starts, position)

    def line_end(self, number: int) -> int:
        """Return the position after the last character of a line, counted from 1, before its line break."""
        if number == len(self.line_starts):
            return len(self.text)
        following = self.line_starts[number]
        return following - (2 if self.text.endswith("\r\n", 0, following) else 1)

    def line(self, number: int) -> str:
        """Return a line, counted from 1, without its line break."""
        return self.text[self.line_starts[number - 1] : self.line_end(number)]


class Details(TypedDict, total=False):
    """What a fault tells besides its place and message; ``Diagnostic`` describes it."""

    expected: str
    remedy: str
    notes: tuple[str, ...]
    code: Code
    fix: Fix | None


class Span(NamedTuple):
    """A stretch of a text: from its first character, counted from 0, to the position after its last."""

    text: SourceText
    start: int
    end: int

    @property
    def file(self) -> str:
        """The text's name."""
        return self.text.name

    @property
    def line(self) -> int:
        """Line of the first character, counted from 1; 0 if the text is only a key."""
        return 0 if self.text.key_only else self.text.line_number(self.start)

    @property
    def column(self) -> int:
        """Column of the first character, counted from 1; 0 if the text is only a key."""
        return 0 if self.text.key_only else self.start - self.text.line_starts[self.line - 1] + 1

    @property
    def source(self) -> str:
        """That line, fit to be printed; empty if it is too long to help, or missing."""
        line = self.text.line(self.text.line_number(self.start))
        return shown(line) if len(line) <= LONGEST_SHOWN_LINE else ""

    @property
    def width(self) -> int:
        """How many characters of that line belong to it, at least 1."""
        return max(1, min(self.end, self.text.line_end(self.text.line_number(self.start))) - self.start)

    @property
    def quoted(self) -> str:
        """The place for notes: an override is quoted whole, as its columns help little."""
        return f"{self.file} {shown(self.text.text)}" if self.text.override else str(self)

    def fault(self, message: str, *, path: str = "", **details: Unpack[Details]) -> Diagnostic:
        """Return a fault at this place; the notes of the text follow its own."""
        last = 0 if self.text.key_only else self.text.line_number(max(self.start, self.end - 1))
        end = 0 if self.text.key_only else max(self.start + 1, self.end) - self.text.line_starts[last - 1] + 1
        details["expected"] = _printable(details.get("expected", ""))
        details["remedy"] = _printable(details.get("remedy", ""))
        details["notes"] = tuple(map(_printable, (*details.get("notes", ()), *self.text.notes)))
        return Diagnostic(
            self.file,
            self.line,
            self.column,
            _printable(message),
            source=self.source,
            width=self.width,
            path=path,
            end_line=last,
            end_column=end,
            **details,
        )

    def __str__(self) -> str:
        """Read as ``file:line:column``, or as the dotted path of a key."""
        return self.file if self.text.key_only else f"{self.file}:{self.line}:{self.column}"


class Mistake(NamedTuple):
    """What is wrong in a text, from the first wrong character to the position after the last."""

    start: int
    end: int
    message: str
    remedy: str = ""
    notes: tuple[str, ...] = ()
    code: Code = "yaml-syntax"
    fix: Fix | None = None


def mistake_at(position: int, message: str, remedy: str = "", notes: tuple[str, ...] = ()) -> Mistake:
    """Return the mistake of a single character."""
    return Mistake(position, position + 1, message, remedy, notes)


def unsupported(position: int, message: str, remedy: str) -> Mistake:
    """Return the mistake of YAML that specs don't have."""
    return mistake_at(position, message, remedy)._replace(code="unsupported-yaml")


def missing_space(colon: int) -> Mistake:
    """Return the mistake of a colon with no space after it."""
    return mistake_at(colon, "a space is missing after ':'", "write 'key: value'")._replace(fix=Fix(":", ": "))


def another_document(position: int) -> Mistake:
    """Return the mistake of a second document in one file."""
    return Mistake(position, position + 3, "a second document starts here", "keep one spec in a file")


def _printable(text: str) -> str:
    """Return a text fit to be printed, and not too long for it."""
    return shown(abridged(text))


class DiagnosticList:
    """The faults of one spec's texts, in any order; no more than a hundred, as the first are what helps."""

    def __init__(self) -> None:
        self._found: list[tuple[Span, Diagnostic]] = []

    @property
    def full(self) -> bool:
        """Whether what is reported from now on is left out."""
        return len(self._found) >= MOST_PROBLEMS

    def report(self, place: Span, message: str, **details: Unpack[Details]) -> None:
        """Record a fault."""
        if not self.full:
            details.setdefault("code", "yaml-syntax")
            self._found.append((place, place.fault(message, **details)))

    def raise_if_any(self) -> None:
        """Raise a ``SpecSyntaxError`` with the faults, text by text and line by line, if there are any."""
        if self._found:
            ordered = sorted(self._found, key=lambda found: (found[0].text.order, found[0].start))
            raise SpecSyntaxError([fault for _, fault in ordered])
