"""CSV files: rows of fields between delimiters, quoted if a field holds a delimiter, a quote or a line break.

Rows are counted from 1, as in spreadsheets: the header and empty lines count as rows, and a row that spans several
lines is one row.

Source: Y. Shafranovich, "Common Format and MIME Type for Comma-Separated Values (CSV) Files", RFC 4180, 2005.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError, ParameterError
from mlpkit_plugins.files.regular_file import BUFFER, MAGIC, GzipStream, regular_file, sized
from mlpkit_plugins.formats.csv_fields import Distinct, FieldBlock, FieldReader, FieldSyntax, read_ahead
from mlpkit_plugins.formats.texts import remedy_for_no_names, shown_text

ROWS_TOGETHER: Final = 1024
"""Rows per block, few enough that their texts stay in the processor's cache."""

OTHER_FORMATS: Final = {
    "a ZIP archive or a spreadsheet; save the table as CSV": (b"PK\x03\x04",),
    "a spreadsheet; save the table as CSV": (b"\xd0\xcf\x11\xe0",),
    "a Parquet file; read it with the data set parquet": (b"PAR1",),
    "a web page; save the table as CSV": (b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML"),
    "JSON; save the table as CSV": (b'{"', b"{\n", b"{\r", b"[{", b"[[", b"[\n", b"[\r"),
    "compressed by another program; decompress it, or compress it by gzip": (b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"),
}
"""The message for other formats, and the first bytes of each."""

_MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",  # first, since the marks of UTF-16 are prefixes of them
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks and their encodings."""

DELIMITERS: Final = (";", "\t", "|", ",")
"""Common delimiters."""

_STEP: Final = 1 << 20


class Block(NamedTuple):
    """Some consecutive rows, by their numbers, and the texts of each requested column."""

    rows: NDArray[np.int64]
    columns: Sequence[Sequence[str]]

    def texts(self, index: int) -> Sequence[str]:
        """Return the texts of a column."""
        return self.columns[index]

    def some_texts(self, index: int, positions: NDArray[np.intp]) -> Sequence[str]:
        """Return the texts of a column in some of the rows."""
        return [self.columns[index][position] for position in positions.tolist()]

    def numbers(self, indices: Sequence[int]) -> None:
        """Return None, since the texts aren't parsed."""

    def distinct(self, index: int) -> Distinct:
        """Return the texts of a column, as if they were distinct."""
        texts = self.columns[index]
        return Distinct(texts, slice(None), range(len(texts)))


class Numbers(NamedTuple):
    """Names of columns of numbers, their decimal sign, and texts that mean a missing number."""

    names: Collection[str]
    decimal: str
    missing: Collection[str]


class Dialect(NamedTuple):
    """The dialect of a CSV file, as the parameters of ``csv`` set it; a byte order mark of UTF-8 is skipped."""

    delimiter: str = ","
    quote: str = '"'
    comment: str = ""
    skip_rows: int = 0
    encoding: str = "utf-8"


class CsvFile:
    """A CSV file, plain or compressed by gzip.

    ``header`` has the names of the columns, if the file's first row doesn't. If its rows are ``to_predict``, advice
    can't be about parameters.

    Attributes:
        header: the names of the columns.
        header_row: the row that holds them; None if there isn't one.
        most_rows: an upper bound on the number of rows below the header.
        checksum: SHA-256 of the file's content.

    Raises:
        DataError: the file is empty, can't be read, or has no valid header.
        ParameterError: ``header`` doesn't have a name for each column.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str = "",
        dialect: Dialect = Dialect(),  # noqa: B008 - immutable
        header: Sequence[str] | None = None,
        to_predict: bool = False,
    ) -> None:
        self._path = path
        self.name = name or str(path)
        self._dialect = dialect
        self._encoding = dialect.encoding
        self._to_predict = to_predict
        self._check_text()
        self.checksum, lines, size = self._survey()
        self._first_row, first = self._first_record()
        self.header_row: int | None = None
        if header is None:
            self.header_row = self._first_row
            self.header = self._names(first)
        else:
            self.header = tuple(header)
            if len(header) != len(first):
                self._check_delimiter(first)
                message = f"{len(header)} names are given for the {len(first)} columns of {self.name}"
                raise ParameterError("header", message, expected=f"{len(first)} names")
        self.most_rows = min(lines, size // len(self.header)) + 1  # a row has at least one character per column

    @property
    def remedy_for_encoding(self) -> str:
        """What to do about bytes that aren't valid characters."""
        return self._remedy(f"save the file in {self._encoding}", "set encoding to the right one, such as latin-1")

    def _remedy(self, to_the_file: str, to_the_spec: str) -> str:
        """Return what to do about the file and, in training, about the spec."""
        return to_the_file if self._to_predict else f"{to_the_file}, or {to_the_spec}"

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """Return some columns of the rows below the header, block by block.

        Raises:
            DataError: the file is not CSV, or a row has more or fewer fields than the header.
        """
        yield from self._text_blocks(self._positions(names), 0, 1)

    def blocks_with(self, numbers: Numbers, names: Sequence[str]) -> Iterator[Block | FieldBlock]:
        """Return the same, with plain numbers parsed."""
        positions = self._positions(names)
        delimiter, quote, comment, _, encoding = self._dialect
        syntax = FieldSyntax.of(
            delimiter, quote, comment=comment, encoding=encoding, decimal=numbers.decimal, missing=numbers.missing
        )
        begin, row = 0, 1
        if syntax is not None:
            with decompressed_content(self._path, self.name) as content:
                reader = FieldReader(content, syntax, encoding, len(self.header))
                reader.skip(self._rows_above)
                yield from reader.blocks(positions, self._positions(numbers.names), ROWS_TOGETHER)
                if not reader.is_stuck:
                    return
                begin, row = reader.begin, reader.row
        yield from self._text_blocks(positions, begin, row)

    @property
    def _rows_above(self) -> int:
        """The number of rows above the first row of data."""
        return max(self.header_row or 0, self._dialect.skip_rows)

    def _positions(self, names: Iterable[str]) -> list[int]:
        places = {name: position for position, name in enumerate(self.header)}
        return [places[name] for name in names]

    def _text_blocks(self, positions: list[int], begin: int, row: int) -> Iterator[Block]:
        """Yield blocks of rows below the header, from an offset in bytes on, where the row with this number starts."""
        with self._reading(begin, row) as records:
            records.read(max(self._rows_above + 1 - row, 0))
            while block := self._block(records, positions):
                yield block

    def _block(self, reader: _Records, positions: list[int]) -> Block | None:
        """Return the requested columns of the next rows; None at the end of the file."""
        records = reader.read(ROWS_TOGETHER)
        if not records:
            return None
        rows = np.arange(reader.row - len(records), reader.row)
        width = len(self.header)
        if self._dialect.comment or set(map(len, records)) != {width}:
            kept = [index for index, record in enumerate(records) if not self._is_left_out(record)]
            rows, records = rows[kept], [records[index] for index in kept]
            for row, record in zip(rows, records, strict=True):
                if len(record) != width:
                    raise DataError(self.name, self._wrong_width(record), row=int(row))
        if not records:
            return Block(rows, [()] * len(positions))
        if len(positions) < 2:
            return Block(rows, [[record[position] for record in records] for position in positions])
        return Block(rows, list(zip(*map(itemgetter(*positions), records), strict=True)))

    def _wrong_width(self, record: list[str]) -> str:
        what = "as in the header" if self.header_row is not None else "as in the first row"
        remedy = "quote fields that hold a delimiter" if len(record) > len(self.header) else "is one missing?"
        if len(record) == 1 < len(self.header) - 1:
            remedy = "leave it out if it is a note, not an example"
        if len(record) > len(self.header) and not any(record[len(self.header) :]):
            remedy = f"remove {_delimiter_name(self._dialect.delimiter)} at the end of each row"
        fields = "1 field" if len(record) == 1 else f"{len(record)} fields"
        return f"the row has {fields}; expected {len(self.header)}, {what}; {remedy}"

    def _check_text(self) -> None:
        with decompressed_content(self._path, self.name) as content:
            begin = content.read(16)
        for message, signatures in OTHER_FORMATS.items():
            if begin.startswith(signatures):
                raise DataError(self.name, f"the file is {message}")
        encoding = encoding_by_mark(begin)
        if encoding and encoding[-2:] not in self._encoding:
            remedy = self._remedy(f"save it in {self._encoding}", f"set encoding: {encoding}")
            raise DataError(self.name, f"the file is {encoding.upper()}, not {self._encoding}; {remedy}")

    def _first_record(self) -> tuple[int, list[str]]:
        with self._reading() as records:
            records.read(self._dialect.skip_rows)
            while rows := records.read(1):
                if not self._is_left_out(rows[0]):
                    return records.row - 1, rows[0]
        raise DataError(self.name, "the file is empty; expected a header, and a row for each example", row=1)

    def _names(self, first: list[str]) -> tuple[str, ...]:
        names = tuple(name.strip() for name in first)
        row, occurrences = self._first_row, Counter(names)
        if names[0].startswith("sep="):  # which only Excel understands
            raise DataError(self.name, "the row only names the delimiter; remove it", row=row)
        for name in names:
            if any("\ud800" <= character <= "\udfff" or character == "\0" for character in name):
                what = f"{shown_text(name)} is not valid {self._encoding}"
                message = f"{what}; {self.remedy_for_encoding}"
                raise DataError(self.name, message, row=row)
            if occurrences[name] > 1 and name:
                remedy = "" if self._to_predict else remedy_for_no_names(names, row)
                remedy = remedy or "rename one in the file"
                raise DataError(self.name, f"two columns have that name; {remedy}", row=row, column=name)
        self._check_delimiter(first)
        return names

    def _check_delimiter(self, first: list[str]) -> None:
        """Check that a first row of a single field doesn't hold another delimiter."""
        for other in DELIMITERS:
            if len(first) == 1 and other in first[0]:
                what = "the header has" if self.header_row is not None else "the row has"
                put = f"put {_delimiter_name(self._dialect.delimiter)} between columns"
                in_yaml = r'"\t", in double quotes' if other == "\t" else f"'{other}'"
                remedy = self._remedy(put, f"set delimiter: {in_yaml}")
                raise DataError(self.name, f"{what} one column, {shown_text(first[0])}; {remedy}", row=self._first_row)

    @contextmanager
    def _reading(self, begin: int = 0, row: int = 1) -> Iterator[_Records]:
        """Open the file to read rows from an offset in bytes on, where the row with this number starts."""
        try:
            with decompressed_content(self._path, self.name) as content:
                for skipped in range(0, begin, _STEP):
                    content.read(min(_STEP, begin - skipped))
                encoding = self._encoding
                if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
                    encoding = "utf-8" if begin else "utf-8-sig"  # a byte order mark is only at the beginning
                text = io.TextIOWrapper(content, encoding, errors="surrogateescape", newline="")
                delimiter, quote = self._dialect.delimiter, self._dialect.quote
                reader = csv.reader(text, delimiter=delimiter, quotechar=quote, strict=True, skipinitialspace=True)
                yield _Records(self.name, reader, quote, row)
        except UnicodeError as error:  # an encoding that can't skip wrong bytes, such as UTF-16
            message = f"the file is not valid {self._encoding}: {error}; {self.remedy_for_encoding}"
            raise DataError(self.name, message) from error

    def _survey(self) -> tuple[str, int, int]:
        """Return the SHA-256 of the content, an upper bound on its lines, and its size in bytes."""
        checksum = hashlib.sha256()
        ends = {b"\n": 0, b"\r": 0}
        size = 0

        def counted(content: io.BufferedReader) -> Iterator[bytes]:
            while part := content.read(_STEP):
                for end in ends:
                    if end in part:
                        ends[end] += int(np.count_nonzero(np.frombuffer(part, np.uint8) == ord(end)))
                yield part

        with decompressed_content(self._path, self.name) as content:
            for part in read_ahead(counted(content)):
                checksum.update(part)
                size += len(part)
        return checksum.hexdigest(), max(ends.values()) + 1, size

    def _is_left_out(self, record: list[str]) -> bool:
        """Whether a row is empty or a comment."""
        comment = self._dialect.comment
        is_blank = not record or (len(record) == 1 and not record[0].strip())
        return is_blank or bool(comment and record[0].startswith(comment))


def encoding_by_mark(begin: bytes) -> str:
    """Return the encoding of a byte order mark other than UTF-8's; empty without one."""
    return next((encoding for mark, encoding in _MARKS.items() if begin.startswith(mark)), "")


@contextmanager
def decompressed_content(path: Path, name: str) -> Iterator[io.BufferedReader]:
    """Open the content of a file, decompressed if it is a gzip file."""
    with regular_file(path, name) as file:
        content = sized(file)
        yield io.BufferedReader(GzipStream(content, name), BUFFER) if content.peek(2)[:2] == MAGIC else content


class _Records:
    """Reads rows with ``csv.reader``, and counts them."""

    def __init__(self, name: str, reader: Iterator[list[str]], quote: str, row: int) -> None:
        self.row = row
        self._name = name
        self._quote = quote
        self._reader = reader

    def read(self, count: int) -> list[list[str]]:
        """Return at most ``count`` rows."""
        records: list[list[str]] = []
        try:
            records.extend(islice(self._reader, count))  # keeps the rows before an error, which are counted
        except csv.Error as error:
            message = f"the file is not CSV: {error}"
            if "expected after" in str(error):
                message += f"; write {2 * self._quote} for a quote in a quoted field"
            if "field limit" in str(error):
                message = f"a field has more than {csv.field_size_limit():,} characters; is a quote not closed?"
            if "unexpected end" in str(error):
                message = "the file ends within a quoted field; is a quote not closed?"
            raise DataError(self._name, message, row=self.row + len(records)) from error
        self.row += len(records)
        return records


def _delimiter_name(delimiter: str) -> str:
    return "a tab" if delimiter == "\t" else f"'{delimiter}'"
