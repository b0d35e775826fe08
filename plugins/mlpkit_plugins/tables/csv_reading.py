"""Guesses how to read a CSV file: its encoding, delimiter, quotes and row of names, and the format of its numbers."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from mlpkit import DataError
from mlpkit_plugins.first_networks.first_spec import Commented
from mlpkit_plugins.formats.csv_file import DELIMITERS, CsvFile, Dialect, decompressed_content, encoding_by_mark
from mlpkit_plugins.formats.texts import shown_text, writes_number
from mlpkit_plugins.tables.column_guess import RowSample, sample_rows
from mlpkit_plugins.tables.csv_source import CsvSource
from mlpkit_plugins.tables.first_spec import Reading
from mlpkit_plugins.tables.text_numbers import OFTEN_MISSING, PLAIN, NumberFormat, is_number, symbols_of

_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}
_THOUSANDS: Final = {"": "nothing", ",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
_NAME_OF_ROWS: Final = "row"


def csv_reading(path: Path, name: str, target: str | None, missing: Collection[str]) -> Reading:
    """Guess how to read a CSV file, and read a sample of its rows; a row that has the target holds names.

    Raises:
        DataError: the file is not CSV, or has both decimal points and decimal commas.
    """
    guess = csv_dialect(path, name, target)
    has_names = guess.names_in_first_row or target in guess.first
    header, skipped, about_header = _header(guess, has_names=has_names)
    dialect = guess.dialect._replace(skip_rows=skipped)
    source = CsvSource(CsvFile(path, name=name, dialect=dialect, header=header), missing, PLAIN)
    sample = sample_rows(source)
    written = number_format(sample, missing, between_commas=dialect.delimiter == ",")
    about_skipped = "the names, which are in header"
    if guess.dialect.skip_rows:
        about_skipped = "what is above the names of the columns"
    parameters = (
        ("delimiter", dialect.delimiter, ",", f"columns are separated by {_DELIMITERS[dialect.delimiter]}"),
        ("quote", dialect.quote, '"', "texts are in apostrophes"),
        ("skip_rows", skipped, 0, about_skipped),
        ("decimal", written.decimal, ".", "numbers have a decimal comma"),
        ("thousands", written.thousands, "", f"numbers have {_THOUSANDS[written.thousands]} between thousands"),
        ("symbols", written.symbols, (), "numbers have these symbols"),
        ("encoding", dialect.encoding, "utf-8", f"its bytes are {dialect.encoding}, not UTF-8"),
        ("header", header, None, about_header),
    )
    given = {name: Commented(value, comment) for name, value, default, comment in parameters if value != default}
    return Reading(source, sample, missing, written, given, has_names)


def _header(guess: CsvGuess, *, has_names: bool) -> tuple[list[str] | None, int, str]:
    """Return the names of the columns if the file doesn't have them all, the number of rows to skip, and the reason."""
    if guess.one_name_too_few and has_names:
        reason = (
            f"its first row has no name for the first column, which R calls row names; it is called {_NAME_OF_ROWS}"
        )
        return [_NAME_OF_ROWS, *guess.first], guess.dialect.skip_rows + 1, reason
    if has_names:
        return None, guess.dialect.skip_rows, ""
    names = [f"column{number}" for number in range(1, len(guess.first) + 1)]
    return names, guess.dialect.skip_rows, "its first row holds data, not names"


LARGEST_SAMPLE: Final = 1 << 26
"""The bytes at the beginning of a file from which its encoding is guessed."""

SAMPLE_OF_ROWS: Final = 1 << 18
"""The bytes at the beginning of a file from which its delimiter is guessed."""

_ROWS: Final = 100
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
    dialect = Dialect(best.delimiter, best.quote, skip_rows=best.skip_rows, encoding=encoding)
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
    return line.decode(errors="ignore").encode() == line


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


FORMATS: Final = (
    PLAIN,
    NumberFormat(".", ","),
    NumberFormat(",", ""),
    NumberFormat(",", "."),
    NumberFormat(".", " "),
    NumberFormat(",", " "),
    NumberFormat(".", "'"),
    NumberFormat(",", "'"),
)
"""The common formats of numbers, the most likely first."""

MOST: Final = 0.9
"""The share of a column's distinct texts, without missing ones, that are numbers if the column holds numbers."""

_DIGITS: Final = str.maketrans("012345678", "999999999")


def number_format(sample: RowSample, missing: Collection[str], *, between_commas: bool) -> NumberFormat:
    """Guess the format of a table's numbers: decimal sign, separator of thousands, and symbols.

    Unless commas separate columns, commas in numbers are most likely decimal commas.

    Raises:
        DataError: some numbers have a decimal point, and others a decimal comma.
    """
    symbols: dict[str, None] = {}
    columns: dict[str, dict[str, str]] = {}  # by column, the texts by what remains without symbols
    for name, texts in sample.columns.items():
        present = sorted({text for text in texts if text and text not in missing})
        column_symbols = _symbols(present)
        symbols |= dict.fromkeys(column_symbols)
        without_symbols = NumberFormat(symbols=tuple(column_symbols))
        columns[name] = {without_symbols.plain(text): text for text in present}
    shapes = {name: Counter(map(_shape, texts)) for name, texts in columns.items()}
    numbers = {name: counts for name, counts in shapes.items() if _are_numbers(counts)}
    written = _common_format(numbers, between_commas=between_commas)
    if written is None:
        of_numbers = {name: columns[name] for name in numbers}
        comma, point = _first_with(of_numbers, ","), _first_with(of_numbers, ".")
        if comma is not None and point is not None:
            raise _mixed_decimals(sample, comma, point)
        written = max(FORMATS, key=lambda each: sum(_all_fit(of_column, each) for of_column in numbers.values()))
    return NumberFormat(written.decimal, written.thousands, tuple(symbols))


def _symbols(texts: Collection[str]) -> list[str]:
    """Return the units or currencies that most texts of a column have next to a number."""
    symbols = [tuple(symbols_of(text)) for text in texts]
    most = max(set(symbols), key=symbols.count, default=())
    return list(most) if symbols.count(most) > len(symbols) / 2 else []


def _shape(text: str) -> str:
    """Return a text with 9 for every digit but a leading zero, so that many numbers share a few shapes."""
    shape = text.translate(_DIGITS)
    return re.sub("9", "0", shape, count=1) if text.lstrip("+-")[:1] == "0" else shape


def _are_numbers(shapes: Counter[str]) -> bool:
    """Whether nearly all texts of a column are numbers in some format."""
    present = {shape: count for shape, count in shapes.items() if shape.lower() not in OFTEN_MISSING}
    numbers = sum(count for shape, count in present.items() if any(_fits(shape, written) for written in FORMATS))
    return numbers >= MOST * sum(present.values()) and numbers > 0


def _fits(shape: str, written: NumberFormat) -> bool:
    """Whether a text is a number in this format; no number with separated thousands starts with a zero."""
    grouped = written.plain(shape) != shape
    return is_number(shape, written) and not (grouped and shape.lstrip("+-")[0] == "0")


def _all_fit(shapes: Counter[str], written: NumberFormat) -> bool:
    """Whether all numbers of a column have this format; thousands are separated in all of them or in none."""
    numbers = [shape for shape in shapes if any(_fits(shape, other) for other in FORMATS)]
    if not all(_fits(shape, written) for shape in numbers):
        return False
    grouped = any(written.plain(shape) != shape for shape in numbers)
    return not (grouped and any(re.match(r"[+-]?\d{4}", shape) for shape in numbers))


def _common_format(columns: Mapping[str, Counter[str]], *, between_commas: bool) -> NumberFormat | None:
    """Return the most likely format that fits all columns of numbers; None if there isn't one."""
    common = [written for written in FORMATS if all(_all_fit(shapes, written) for shapes in columns.values())]
    decimal_comma = NumberFormat(",", "")
    if common and not between_commas and common[0] == NumberFormat(".", ",") and decimal_comma in common:
        return decimal_comma
    return common[0] if common else None


def _first_with(columns: Mapping[str, Mapping[str, str]], sign: str) -> tuple[str, str] | None:
    """Return the first number that is valid with this decimal sign only, and its column."""
    for name, texts in columns.items():
        for plain, text in texts.items():
            decimals = {written.decimal for written in FORMATS if _fits(_shape(plain), written)}
            if decimals == {sign}:
                return name, text
    return None


def _mixed_decimals(sample: RowSample, comma: tuple[str, str], point: tuple[str, str]) -> DataError:
    """Return the error for a table with decimal points and commas, at the rarer of the two."""
    texts = [text for name, _ in (comma, point) for text in sample.columns[name]]
    commas, points = (sum(sign in text for text in texts) for sign in ",.")
    (name, text), (other_name, other) = (comma, point) if commas <= points else (point, comma)
    row, other_row = (sample.rows[sample.columns[n].index(t)] for n, t in ((name, text), (other_name, other)))
    signs = ("a decimal comma", "a point") if "," in text else ("a decimal point", "a comma")
    where = f"{shown_text(other)} in row {other_row}" + (f" of '{other_name}'" if other_name != name else "")
    message = f"{shown_text(text)} has {signs[0]}, but {where} has {signs[1]}; write all numbers of the file in one way"
    return DataError(sample.name, message, row=row, column=name)
