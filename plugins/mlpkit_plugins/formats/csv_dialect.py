"""How a CSV file seems to be written: characters, delimiter, quotes, and which row holds the names."""

from __future__ import annotations

import codecs
import csv
import io
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from mlpkit_plugins.formats.csv_file import DELIMITERS, decompressed_content, encoding_by_mark
from mlpkit_plugins.formats.header_names import writes_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LARGEST_SAMPLE: Final = 1 << 26
"""Bytes from the beginning of a file in which its encoding is looked for."""

SAMPLE_OF_ROWS: Final = 1 << 18
"""Bytes from the beginning of a file in which its delimiter is looked for."""

_ROWS: Final = 100
_COMMENT: Final = "#"
_QUOTES: Final = "\"'"
_ALIGNED: Final = " "
"""The delimiter of a table in which columns are aligned with spaces; considered only if no other one is there."""


class CsvDialect(NamedTuple):
    """How a CSV file is written.

    Args:
        encoding: how characters are written as bytes.
        delimiter: the character between two columns.
        quote: the character around a field.
        skip_rows: how many rows come before the first one of the table.
        comment: what rows begin with that aren't part of the table; empty if there are no such rows.
        first: the fields of the table's first row; none if the file is empty.
        one_name_too_few: whether the rows below the first have one field more, as R writes the names of rows.
    """

    encoding: str
    delimiter: str
    quote: str
    skip_rows: int
    comment: str
    first: tuple[str, ...]
    one_name_too_few: bool

    @property
    def names_in_first_row(self) -> bool:
        """Whether the first row seems to hold names: no field of it is a number."""
        return not any(map(writes_number, self.first))


def csv_dialect(path: Path, name: str, target: str | None = None) -> CsvDialect:
    """Find out how a CSV file is written.

    Args:
        path: the file.
        name: its name in messages.
        target: a column of the table; if only a later row has that name, the rows above it say something else.

    Raises:
        DataError: the file can't be read.
    """
    with decompressed_content(path, name) as file:
        content = file.read(LARGEST_SAMPLE)
    encoding = _encoding(content)
    text = content[:SAMPLE_OF_ROWS].decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace")
    found = max((_Layout.of(text, delimiter, target) for delimiter in (*DELIMITERS, _ALIGNED)), key=_Layout.agreement)
    comment = found.comment
    return CsvDialect(
        encoding,
        found.delimiter,
        found.quote,
        0 if comment else found.skip_rows,
        comment,
        tuple(field.strip() for field in found.first),
        found.one_name_too_few,
    )


def _encoding(content: bytes) -> str:
    """Return an encoding in which the bytes are valid characters; UTF-8 if most of them are in it."""
    if encoding := encoding_by_mark(content):
        return encoding
    for encoding, zeros in (("utf-16-le", content[1:4096:2]), ("utf-16-be", content[:4096:2])):
        if zeros.count(0) > len(zeros) / 2:  # as bytes, about every other one is zero
            return encoding
    for encoding in ("utf-8", "cp1252"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(content)
        except UnicodeDecodeError:
            if encoding == "utf-8" and _has_characters_of_utf8(content):
                return encoding
            continue
        return encoding
    return "latin-1"


def _has_characters_of_utf8(content: bytes) -> bool:
    """Whether some line is UTF-8 and not ASCII, which no text in another encoding is by chance, or hardly any."""
    return any(not line.isascii() and _is_utf8(line) for line in content.splitlines())


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Layout(NamedTuple):
    """The first rows of a file, with one delimiter.

    Args:
        delimiter: the delimiter.
        quote: the character around fields.
        rows: the rows, empty ones too.
        begin: which of them is the table's first.
        has_target: whether that one has the name of the target.
    """

    delimiter: str
    quote: str
    rows: Sequence[Sequence[str]]
    begin: int
    has_target: bool

    @classmethod
    def of(cls, text: str, delimiter: str, target: str | None) -> _Layout:
        rows = _rows(text, delimiter, _QUOTES[0])
        begin, has_target = _begin(rows, target)
        if not any(map(_is_in_apostrophes, rows[begin] if rows else ())):
            return cls(delimiter, _QUOTES[0], rows, begin, has_target)
        rows = _rows(text, delimiter, _QUOTES[1])
        return cls(delimiter, _QUOTES[1], rows, *_begin(rows, target))

    @property
    def first(self) -> Sequence[str]:
        return self.rows[self.begin] if self.rows else ()

    @property
    def skip_rows(self) -> int:
        """How many rows are above the table, if any of them isn't empty."""
        return self.begin if any(len(row) > 1 or _filled(row) for row in self.rows[: self.begin]) else 0

    @property
    def widths(self) -> list[int]:
        """How many fields each row below the first has, apart from empty rows."""
        return [len(row) for row in self.rows[self.begin + 1 :] if _filled(row)]

    @property
    def one_name_too_few(self) -> bool:
        expected = len(self.first) + 1
        return set(self.widths) == {expected} and any(row[-1] for row in self.rows[self.begin + 1 :] if row)

    @property
    def comment(self) -> str:
        """What the rows above the table begin with, if it says that they are comments."""
        above = [row for row in self.rows[: self.begin] if _filled(row)]
        below = [row for row in self.rows[self.begin :] if row and len(row) == len(self.first)]
        marked = [row[0].startswith(_COMMENT) for row in above]
        return _COMMENT if marked and all(marked) and not any(row[0].startswith(_COMMENT) for row in below) else ""

    def agreement(self) -> tuple[bool, bool, bool, float, int]:
        """Return how well the delimiter fits: if it gives the target and several columns, and in how many rows."""
        width, widths = len(self.first), self.widths
        alike = max(widths.count(width), widths.count(width + 1)) / max(len(widths), 1)
        is_aligned = self.delimiter == _ALIGNED
        return self.has_target, width > 1 and (not is_aligned or alike == 1), not is_aligned, alike, width


def _rows(text: str, delimiter: str, quote: str) -> list[list[str]]:
    """Return the first rows, up to one that is wrong, and without one that may be cut off."""
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, quotechar=quote, skipinitialspace=True)
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows.extend(islice(reader, _ROWS + 1))
    return rows[:-1] if len(rows) > 1 and len(text) == SAMPLE_OF_ROWS else rows


def _begin(rows: Sequence[Sequence[str]], target: str | None) -> tuple[int, bool]:
    """Return which row is the first of the table, and whether it has the name of the target."""
    filled = [index for index, row in enumerate(rows) if _filled(row)]
    first = filled[0] if filled else 0
    for index in filled:
        if target in [field.strip().strip(_QUOTES) for field in rows[index]]:
            above = max((_filled(rows[other]) for other in filled if other < index), default=0)
            holds_data = above >= _filled(rows[index]) or (above and any(map(writes_number, rows[index])))
            return (first, False) if holds_data else (index, True)
    return first, False


def _filled(row: Sequence[str]) -> int:
    """Return how many fields of a row aren't empty."""
    return sum(bool(field.strip()) for field in row)


def _is_in_apostrophes(field: str) -> bool:
    return len(field) > 1 and field[0] == field[-1] == _QUOTES[1]
