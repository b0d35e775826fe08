"""How a CSV file seems to be written: characters, delimiter, and whether its first row holds names."""

from __future__ import annotations

import codecs
import csv
import io
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from mlpkit_plugins.formats.csv_file import DELIMITERS, decompressed_content
from mlpkit_plugins.formats.header_names import writes_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LARGEST_SAMPLE: Final = 1 << 26
"""Bytes from the beginning of a file in which its encoding is looked for."""

SAMPLE_OF_ROWS: Final = 1 << 18
"""Bytes from the beginning of a file in which its delimiter is looked for."""

_ROWS: Final = 100


class CsvDialect(NamedTuple):
    """How a CSV file is written.

    Args:
        encoding: how characters are written as bytes.
        delimiter: the character between two columns.
        first: the fields of the first row; none if the file is empty.
    """

    encoding: str
    delimiter: str
    first: tuple[str, ...]

    @property
    def names_in_first_row(self) -> bool:
        """Whether the first row seems to hold names: no field of it is a number."""
        return not any(map(writes_number, self.first))


def csv_dialect(path: Path, name: str) -> CsvDialect:
    """Find out how a CSV file is written.

    Args:
        path: the file.
        name: what to call it in messages.

    Raises:
        DataError: the file can't be read.
    """
    with decompressed_content(path, name) as file:
        content = file.read(LARGEST_SAMPLE)
    encoding = _encoding(content)
    text = content[:SAMPLE_OF_ROWS].decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace")
    candidates = {delimiter: _rows(text, delimiter) for delimiter in DELIMITERS}
    delimiter = max(candidates, key=lambda each: _agreement(candidates[each]))
    rows = candidates[delimiter]
    return CsvDialect(encoding, delimiter, tuple(field.strip() for field in rows[0]) if rows else ())


def _encoding(content: bytes) -> str:
    """Return an encoding in which the bytes are valid characters."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", "cp1252"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(content)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the first rows that aren't empty, without one that may be cut off."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        rows = [row for row in islice(reader, _ROWS + 1) if any(field.strip() for field in row)]
    except csv.Error:
        return []
    return rows[:-1] if len(rows) > 1 and len(text) == SAMPLE_OF_ROWS else rows


def _agreement(rows: Sequence[Sequence[str]]) -> tuple[bool, float, int]:
    """Return how well a delimiter fits: if it occurs in the first row, in how many rows as often, and how often."""
    width = len(rows[0]) if rows else 0
    alike = sum(len(row) == width for row in rows) / max(len(rows), 1)
    return width > 1, alike, width
