"""Guesses the dialect of a CSV file: encoding, delimiter, quotes, and the row of names."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from mlpkit_plugins.formats.csv_file import DELIMITERS, Dialect, decompressed_content, encoding_by_mark
from mlpkit_plugins.formats.texts import writes_number

LARGEST_SAMPLE: Final = 1 << 26
"""The bytes at the beginning of a file from which its encoding is guessed."""

SAMPLE_OF_ROWS: Final = 1 << 18
"""The bytes at the beginning of a file from which its delimiter is guessed."""

_ROWS: Final = 100
_COMMENT: Final = "#"
_QUOTES: Final = "\"'"
_ALIGNED: Final = " "
"""The delimiter of columns that are aligned with spaces; tried only if no other delimiter occurs."""


class CsvGuess(NamedTuple):
    """A CSV file's dialect, its first row, and whether that has one field too few, as with row names from R."""

    dialect: Dialect
    first: tuple[str, ...]
    one_name_too_few: bool

    @property
    def names_in_first_row(self) -> bool:
        """Whether the first row seems to hold names, since none of its fields is a number."""
        return not any(map(writes_number, self.first))


def csv_dialect(path: Path, name: str, target: str | None = None) -> CsvGuess:
    """Guess the dialect of a CSV file; rows above the one with the name of the target aren't part of the table."""
    with decompressed_content(path, name) as file:
        content = file.read(LARGEST_SAMPLE)
    encoding = _encoding(content)
    text = content[:SAMPLE_OF_ROWS].decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace")
    best = max((_Layout.of(text, delimiter, target) for delimiter in (*DELIMITERS, _ALIGNED)), key=_Layout.agreement)
    comment = best.comment
    dialect = Dialect(best.delimiter, best.quote, comment, 0 if comment else best.skip_rows, encoding)
    return CsvGuess(dialect, tuple(field.strip() for field in best.first), best.one_name_too_few)


def _encoding(content: bytes) -> str:
    """Return an encoding in which the bytes are valid; UTF-8 even with a few invalid ones."""
    if encoding := encoding_by_mark(content):
        return encoding
    for encoding, zeros in (("utf-16-le", content[1:4096:2]), ("utf-16-be", content[:4096:2])):
        if zeros.count(0) > len(zeros) / 2:  # most characters have a zero byte
            return encoding
    for encoding in ("utf-8", "cp1252"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(content)
        except UnicodeDecodeError:
            # a line that is UTF-8 but not ASCII is hardly ever text in another encoding
            if encoding == "utf-8" and any(not line.isascii() and _is_utf8(line) for line in content.splitlines()):
                return encoding
            continue
        return encoding
    return "latin-1"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Layout(NamedTuple):
    """The first rows of a file, split by a delimiter, and where its table begins."""

    delimiter: str
    quote: str
    rows: Sequence[Sequence[str]]
    begin: int
    has_target: bool

    @classmethod
    def of(cls, text: str, delimiter: str, target: str | None) -> _Layout:
        rows = _rows(text, delimiter, _QUOTES[0])
        begin, has_target = _begin(rows, target)
        if not any(len(field) > 1 and field[0] == field[-1] == _QUOTES[1] for field in (rows[begin] if rows else ())):
            return cls(delimiter, _QUOTES[0], rows, begin, has_target)
        rows = _rows(text, delimiter, _QUOTES[1])
        return cls(delimiter, _QUOTES[1], rows, *_begin(rows, target))

    @property
    def first(self) -> Sequence[str]:
        return self.rows[self.begin] if self.rows else ()

    @property
    def skip_rows(self) -> int:
        """The number of rows above the table; 0 if they are empty."""
        return self.begin if any(len(row) > 1 or _filled(row) for row in self.rows[: self.begin]) else 0

    @property
    def widths(self) -> list[int]:
        """The number of fields in each row below the first, without empty rows."""
        return [len(row) for row in self.rows[self.begin + 1 :] if _filled(row)]

    @property
    def one_name_too_few(self) -> bool:
        expected = len(self.first) + 1
        return set(self.widths) == {expected} and any(row[-1] for row in self.rows[self.begin + 1 :] if row)

    @property
    def comment(self) -> str:
        """The start of the rows above the table if all of them are comments; otherwise empty."""
        above = [row for row in self.rows[: self.begin] if _filled(row)]
        below = [row for row in self.rows[self.begin :] if row and len(row) == len(self.first)]
        marked = [row[0].startswith(_COMMENT) for row in above]
        return _COMMENT if marked and all(marked) and not any(row[0].startswith(_COMMENT) for row in below) else ""

    def agreement(self) -> tuple[bool, bool, bool, float, int]:
        """Rank the delimiter: by the target's name, several columns, and the share of rows of the same width."""
        width, widths = len(self.first), self.widths
        same = max(widths.count(width), widths.count(width + 1)) / max(len(widths), 1)
        is_aligned = self.delimiter == _ALIGNED
        return self.has_target, width > 1 and (not is_aligned or same == 1), not is_aligned, same, width


def _rows(text: str, delimiter: str, quote: str) -> list[list[str]]:
    """Return the first rows, up to an invalid one, and without one that may be incomplete."""
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, quotechar=quote, skipinitialspace=True)
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows.extend(islice(reader, _ROWS + 1))
    return rows[:-1] if len(rows) > 1 and len(text) == SAMPLE_OF_ROWS else rows


def _begin(rows: Sequence[Sequence[str]], target: str | None) -> tuple[int, bool]:
    """Return the index of the table's first row, and whether it has the name of the target."""
    filled = [index for index, row in enumerate(rows) if _filled(row)]
    first = filled[0] if filled else 0
    for index in filled:
        if target in [field.strip().strip(_QUOTES) for field in rows[index]]:
            above = max((_filled(rows[other]) for other in filled if other < index), default=0)
            holds_data = above >= _filled(rows[index]) or (above and any(map(writes_number, rows[index])))
            return (first, False) if holds_data else (index, True)
    return first, False


def _filled(row: Sequence[str]) -> int:
    """Count the fields of a row that aren't empty."""
    return sum(bool(field.strip()) for field in row)
