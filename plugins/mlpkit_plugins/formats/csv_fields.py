"""The records of a CSV file as offsets into its bytes, with parsed numbers, so that few fields become texts.

``read_csv_records`` finds the same fields and numbers as Python's ``csv`` and ``float``. It stops at wrong or unusual
records, which Python then reads, so that all messages come from one place.
"""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader
from itertools import pairwise
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlpkit.engines import available_cores
from mlpkit_plugins.kernels import distinct_fields, read_csv_records

STEP: Final = 1 << 18
"""Bytes read at a time."""

LARGEST_ROOM: Final = 1 << 21
"""The most fields for which arrays are allocated regardless of the bytes at hand."""

BLOCKS_TOGETHER: Final = 4
"""The most blocks that are read at once: before each read, the thread that reads ahead waits for the interpreter."""

BYTES_TOGETHER: Final = 1 << 20
"""The most bytes of several blocks that are read at once."""

SKIPPED_TOGETHER: Final = 1024
"""Rows skipped at a time."""

LARGEST: Final = 1 << 26
"""The most bytes that are searched for the end of a block."""

_ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "ascii": "ascii",
    "iso8859-1": "latin-1",
    "cp1252": "cp1252",
}
"""Encodings in which a byte below 128 always is an ASCII character, by Python's names for them."""


class FieldSyntax(NamedTuple):
    """The syntax of fields and numbers, for ``read_csv_records``.

    ``missing`` are texts that mean a missing number, each preceded by a byte with its length; ``longest`` is the most
    bytes of a field.
    """

    delimiter: bytes
    quote: bytes
    point: bytes
    comment: bytes
    missing: bytes
    longest: int

    @classmethod
    def of(
        cls, delimiter: str, quote: str, *, comment: str, encoding: str, decimal: str, missing: Collection[str]
    ) -> FieldSyntax | None:
        """Return the syntax of a file as bytes; None if its fields can't be found byte by byte."""
        marks = delimiter + quote + decimal
        are_clear = len(set(marks)) == len(marks) and not any(mark.isalnum() or mark in "+-" for mark in marks)
        is_ascii = (marks + comment).isascii() and codecs.lookup(encoding).name in _ENCODINGS
        if not are_clear or not is_ascii or quote in comment:
            return None
        texts = [text.encode() for text in missing if text == text.strip() and text.isascii() and len(text) < 256]
        return cls(
            delimiter.encode(),
            quote.encode(),
            decimal.encode(),
            comment.encode(),
            b"".join(bytes([len(text)]) + text for text in texts),
            csv.field_size_limit(),
        )


class Distinct(NamedTuple):
    """The distinct texts of a column, the position of each row's text among them, and the first row of each."""

    texts: Sequence[str]
    codes: NDArray[np.int32] | slice
    firsts: Sequence[int] | NDArray[np.int32]


class Records(NamedTuple):
    """Consecutive records of a file, as ``read_csv_records`` writes them, by the numbers of their rows."""

    rows: NDArray[np.int64]
    fields: NDArray[np.int32]
    numbers: NDArray[np.float64]
    are_numbers: NDArray[np.bool_]

    @classmethod
    def empty(cls, most: int, are_numbers: NDArray[np.bool_]) -> Records:
        """Allocate arrays for at most ``most`` records."""
        count = len(are_numbers)
        fields, numbers = np.empty((most, count, 2), np.int32), np.empty((most, count))
        return cls(np.empty(most, np.int64), fields, numbers, are_numbers.copy())

    def part(self, begin: int, end: int) -> Records:
        """Return the records from one position to another."""
        return Records(self.rows[begin:end], self.fields[begin:end], self.numbers[begin:end], self.are_numbers)

    def cut(self, rows: range) -> Iterator[Records]:
        """Return the records in parts that begin at these rows, without empty parts."""
        for begin, end in pairwise([*np.searchsorted(self.rows, rows).tolist(), len(self.rows)]):
            if begin < end:
                yield self.part(begin, end)


class FieldBlock:
    """Some consecutive rows, as offsets into a part of the file; a column is in its place among those that are read."""

    def __init__(self, records: Records, data: bytes, places: Sequence[int], encoding: str, quote: str) -> None:
        self.rows = records.rows
        self._records = records
        self._data = data
        self._places = places
        self._encoding = encoding
        self._quote = quote

    @property
    def columns(self) -> list[list[str]]:
        """The texts of each requested column."""
        return [self.texts(index) for index in range(len(self._places))]

    def texts(self, index: int) -> list[str]:
        """Return the texts of a column."""
        return self._decoded(self._records.fields[:, self._places[index]])

    def some_texts(self, index: int, positions: NDArray[np.intp]) -> list[str]:
        """Return the texts of a column in some of the rows."""
        return self._decoded(self._records.fields[positions, self._places[index]])

    def numbers(self, indices: Sequence[int]) -> NDArray[np.float64] | None:
        """Return numbers, shape (rows, columns), NaN if missing; None if a column holds other texts."""
        places = [self._places[index] for index in indices]
        return self._records.numbers.take(places, axis=1) if self._records.are_numbers[places].all() else None

    def distinct(self, index: int) -> Distinct:
        """Return the distinct texts of a column; a text both with and without quotes occurs twice."""
        fields, place = self._records.fields, self._places[index]
        codes, firsts = np.empty(len(self.rows), np.int32), np.empty(len(self.rows), np.int32)
        firsts = firsts[: distinct_fields(self._data, fields, place, codes, firsts)]
        return Distinct(self._decoded(fields[firsts, place]), codes, firsts)

    def _decoded(self, fields: NDArray[np.int32]) -> list[str]:
        data, encoding, quote = self._data, self._encoding, self._quote
        pairs = fields.tolist()
        if not len(fields) or fields[:, 1].min() >= 0:
            return [data[begin : begin + length].decode(encoding, "surrogateescape") for begin, length in pairs]
        both = [(data[b : b + (~n if n < 0 else n)].decode(encoding, "surrogateescape"), n) for b, n in pairs]
        return [text.replace(2 * quote, quote) if length < 0 else text for text, length in both]


class FieldReader:
    """Finds the fields of a file of ``width`` columns, block by block.

    Attributes:
        begin: the offset of the next row.
        row: its number.
        is_stuck: whether ``csv`` has to read the rest.
    """

    def __init__(self, content: BufferedReader, syntax: FieldSyntax, encoding: str, width: int) -> None:
        self.begin = 0
        self.row = 1
        self.is_stuck = False
        self._content = content
        self._syntax = syntax
        self._encoding = _ENCODINGS[codecs.lookup(encoding).name]
        self._width = width
        self._data = b""  # always ends with a line break at the end of the file
        self._place = 0
        self._is_at_end = False
        self._block = STEP

    def skip(self, rows: int) -> None:
        """Skip the byte order mark and some rows of any content."""
        self._fill(STEP)
        if self._encoding == "utf-8" and self._data.startswith(codecs.BOM_UTF8):
            self.begin = self._place = len(codecs.BOM_UTF8)
        no_columns, last = np.empty(0, np.int32), self.row + rows
        while self.row < last and not self.is_finished:
            self._read(no_columns, np.empty(0, np.bool_), min(last - self.row, SKIPPED_TOGETHER))

    @property
    def is_finished(self) -> bool:
        """Whether this reader is done, at the end of the file or stuck."""
        return self.is_stuck or (self._is_at_end and self._place == len(self._data))

    def blocks(self, positions: Sequence[int], numbers: Collection[int], most: int) -> Iterator[FieldBlock]:
        """Yield blocks of ``most`` rows or fewer, up to the end of the file or a block that ``csv`` has to read."""
        for together in read_ahead(self._blocks_together(positions, numbers, most)):
            yield from together

    def _blocks_together(
        self, positions: Sequence[int], numbers: Collection[int], most: int
    ) -> Iterator[list[FieldBlock]]:
        columns = sorted(set(positions))
        places = np.full(self._width, -1, np.int32)
        places[columns] = np.arange(len(columns))
        chosen, are_numbers = places[list(positions)].tolist(), np.isin(columns, list(numbers))
        count, quote = 1, self._syntax.quote.decode()
        while not self.is_finished:
            row = self.row
            records = self._read(places, are_numbers, count * most)
            parts = records.cut(range(row, self.row, most))
            yield [FieldBlock(part, self._data, chosen, self._encoding, quote) for part in parts]
            size = self._block // count + 1
            count = max(1, min(BLOCKS_TOGETHER, BYTES_TOGETHER // size))
            self._block = count * size

    def _read(self, places: NDArray[np.int32], are_numbers: NDArray[np.bool_], most: int) -> Records:
        """Read at most ``most`` records; none if ``csv`` has to read them."""
        self._fill(self._block + self._block // 8)
        while True:
            room = self._room_for(most, are_numbers)
            done, kept, end, is_stuck = read_csv_records(self._data, self._place, self._syntax, places, *room)
            left = len(self._data) - self._place
            if done == len(room.rows) or (self._is_at_end and end == len(self._data)):
                break
            if is_stuck or self._is_at_end or left > LARGEST:
                self.is_stuck = True
                return room.part(0, 0)
            self._fill(2 * left)
        records = room.part(0, kept)
        records.rows[:] += self.row
        self._block = end - self._place
        self.begin, self.row, self._place = self.begin + self._block, self.row + done, end
        return records

    def _room_for(self, most: int, are_numbers: NDArray[np.bool_]) -> Records:
        """Allocate arrays for ``most`` records; for very wide ones, as many as the bytes at hand can hold."""
        if most * len(are_numbers) > LARGEST_ROOM:
            most = min(most, (len(self._data) - self._place) // self._width + 1)
        return Records.empty(most, are_numbers)

    def _fill(self, wanted: int) -> None:
        """Read until ``wanted`` bytes are at hand, or the file ends."""
        left = len(self._data) - self._place
        if left >= wanted or self._is_at_end:
            return
        asked = max(wanted - left, STEP)
        part = self._content.read(asked)
        self._is_at_end = len(part) < asked
        data = b"".join((memoryview(self._data)[self._place :], part))
        if self._is_at_end and data and not data.endswith(b"\n"):
            data += b"\n"
        self._data, self._place = data, 0


Part = TypeVar("Part")

AHEAD: Final = 2
"""Parts that are read ahead: while the caller takes one, the thread reads the other."""


def read_ahead(parts: Iterator[Part]) -> Iterator[Part]:
    """Yield the parts, and let another thread read the next ones meanwhile, if there's a second core.

    Raises:
        BaseException: what reading a part raised, after the parts before it.
    """
    if available_cores() == 1:
        yield from parts
        return
    with ThreadPoolExecutor(1, "reader") as reader:
        ahead = deque(reader.submit(next, parts, None) for _ in range(AHEAD))
        while (part := ahead.popleft().result()) is not None:
            ahead.append(reader.submit(next, parts, None))
            yield part
