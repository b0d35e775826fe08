"""Limits on the decoded size of a Parquet file's columns, checked before a page is decoded.

A few bytes can unpack to very many: a page may be compressed a thousandfold or more, every row may repeat a text of the
dictionary, and a text may be stored as its difference from the text before. Real data stays within these limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.files.regular_file import read_at

FEWEST_BYTES_READ: Final = 1 << 12
LARGEST_HEADER: Final = 1 << 24
"""The most bytes of a header, which may hold the least and greatest value of its page."""

_UNPACKED, _PACKED, _PAGE, _PAGE_V2 = 2, 3, 5, 8
"""Fields of a header: sizes in bytes, and a structure for each version of a page of values."""
_VALUES: Final = 1
_ENCODINGS: Final = {_PAGE: 2, _PAGE_V2: 4}
"""Fields of those structures."""

DELTA_LENGTH_BYTE_ARRAY: Final = 6
"""The encoding that writes the lengths of texts first."""
DELTA_BYTE_ARRAY: Final = 7
"""The encoding that leaves out the common prefix of a text and the text before."""

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
"""Types of fields."""
_DEEPEST: Final = 8


class Page(NamedTuple):
    """A page: the offset of its header, its size in the file, and its declared size after decoding.

    Its ``encoding`` is a number in ``parquet.thrift``; a dictionary has 0 values, and none.
    """

    begin: int
    packed: int
    unpacked: int
    values: int
    encoding: int | None


class NoPageError(ValueError):
    """A page is missing at an offset."""

    def __init__(self, byte: int) -> None:
        self.byte = byte
        super().__init__(byte)


def pages(descriptor: int, size: int, column: Any) -> Iterator[Page]:
    """Yield the pages of a column in a row group, from the column's metadata.

    Raises:
        NoPageError: the file holds something else, or a page extends beyond its end.
    """
    place, dictionary = column.data_page_offset, column.dictionary_page_offset
    if dictionary is not None and 0 < dictionary < place:
        place = dictionary
    values = 0
    while values < column.num_values:
        page, begin_of_content = _page_at(descriptor, place)
        end = begin_of_content + page.packed
        if min(page.packed, page.unpacked, page.values) < 0 or end > size:
            raise NoPageError(place)
        yield page
        values += page.values
        place = end


def _page_at(descriptor: int, place: int) -> tuple[Page, int]:
    """Return the page at an offset, and the offset of its content."""
    length = FEWEST_BYTES_READ
    while length <= LARGEST_HEADER and place >= 0:
        room = memoryview(bytearray(length))
        read = bytes(room[: read_at(descriptor, place, room)])
        header = _Compact(read)
        try:
            fields = header.structure()
            return _page_of(fields, place), place + header.position
        except IndexError:
            if len(read) < length:  # the file ends there
                break
            length *= 16
        except (KeyError, ValueError):
            break
    raise NoPageError(place)


def _page_of(fields: dict[int, Any], place: int) -> Page:
    version = _PAGE if _PAGE in fields else _PAGE_V2
    of_values = fields.get(version, {})
    if isinstance(of_values, dict):
        encoding = of_values.get(_ENCODINGS[version])
        page = Page(place, fields[_PACKED], fields[_UNPACKED], of_values.get(_VALUES, 0), encoding)
        if all(isinstance(number, int) for number in page[:4]):
            return page
    msg = "a field of the header has another type"
    raise ValueError(msg)


class _Compact:
    """Reads the integers and structures of a structure in Thrift's compact protocol, and skips other types.

    If the bytes end before it does, reading raises an IndexError.
    """

    def __init__(self, content: bytes) -> None:
        self.position = 0
        self._content = content

    def structure(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields by number."""
        if depth > _DEEPEST:
            msg = "nested too deeply"
            raise ValueError(msg)
        fields: dict[int, Any] = {}
        number = 0
        while byte := self._byte():
            number = number + (byte >> 4) if byte >> 4 else self._signed()
            fields[number] = self._value(byte & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return None  # the value is the type
        if kind in (_I16, _I32, _I64):
            return self._signed()
        if kind == _STRUCT:
            return self.structure(depth + 1)
        if kind in (_LIST, _SET, _MAP) or kind > _STRUCT or not kind:
            msg = "no header of a page has that type"
            raise ValueError(msg)
        return self._pass_over({_BYTE: 1, _DOUBLE: 8}.get(kind) or self._number())

    def _pass_over(self, length: int) -> None:
        self.position += length
        if self.position > len(self._content):
            raise IndexError

    def _signed(self) -> int:
        number = self._number()
        return number >> 1 ^ -(number & 1)

    def _number(self) -> int:
        number, shift = 0, 0
        while (byte := self._byte()) & 0x80:
            number |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:
                msg = "an integer has more than 64 bits"
                raise ValueError(msg)
        return number | byte << shift

    def _byte(self) -> int:
        byte = self._content[self.position]
        self.position += 1
        return byte


MOST_VALUES_A_BYTE: Final = 1024
ALWAYS_ALLOWED: Final = 1 << 23
"""Values that a file of any size may have."""

LARGEST_TEXT: Final = 1 << 17
"""The most bytes of a text, as in a field of a CSV file."""
MOST_TEXT_A_BYTE: Final = 64
LARGEST_PAGE_OF_TEXTS: Final = 1 << 24
TEXT_ALWAYS_ALLOWED: Final = 1 << 26
"""Bytes of texts that a page and a column of any size may unpack to."""

MOST_BYTES_A_NUMBER: Final = 16
OVERHEAD: Final = 1 << 16
"""Bytes of a page of numbers in addition to the numbers."""

VALUES_TOGETHER: Final = 1 << 17
"""Values decoded at a time, since a whole row group may not fit into memory."""
FEWEST_ROWS_TOGETHER: Final = 256
BYTES_TOGETHER: Final = 1 << 25
"""Bytes decoded at a time, for a column whose values may be as long as a page."""

_TEXT: Final = "BYTE_ARRAY"
_BYTES: Final = "FIXED_LEN_BYTE_ARRAY"
_REMEDY: Final = "leave the column out, or write the table in smaller row groups"
_IS_TEXT: Final = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)


class Plan(NamedTuple):
    """How to decode columns: rows at a time, and the columns of texts whose distinct texts are decoded only once."""

    rows: int
    dictionaries: tuple[str, ...]


class Bounds:
    """The limits for a file of some size; ``most_text`` is the most bytes of a column's texts."""

    def __init__(self, name: str, size: int) -> None:
        self.most_text = max(TEXT_ALWAYS_ALLOWED, MOST_TEXT_A_BYTE * size)
        self._most_values = max(ALWAYS_ALLOWED, MOST_VALUES_A_BYTE * size)
        self._name = name
        self._size = size
        self._decoded: dict[str, int] = {}

    def check_few_values(self, rows: int, columns: int) -> None:
        """Check that the file declares a plausible number of values for its size."""
        if not 0 <= rows * columns <= self._most_values:
            declared = f"declares {rows:,} rows in {self._size:,} bytes"
            raise DataError(self._name, f"{declared}; expected at most {self._most_values:,} values")

    def plan(self, file: BufferedReader, parquet: Any, types: Mapping[str, pa.DataType]) -> Plan:
        """Check the page headers of columns, given with their types, and plan their decoding."""
        self._decoded = dict.fromkeys(types, 0)
        longest, without_dictionary = 1, set()
        for position in range(len(parquet.schema)):
            leaf = parquet.schema.column(position)
            if leaf.path not in types:
                continue
            if leaf.length > MOST_BYTES_A_NUMBER:
                if leaf.length > LARGEST_TEXT:
                    raise self._too_long(leaf.length, leaf.path)
                self._check_total_text(leaf.length * parquet.metadata.num_rows, leaf.path)
                longest = max(longest, leaf.length)
            for page in self._checked_pages(file, parquet.metadata, position, leaf):
                if page.encoding in (DELTA_BYTE_ARRAY, DELTA_LENGTH_BYTE_ARRAY):  # pyarrow makes no dictionary of these
                    without_dictionary.add(leaf.path)
                is_decimal = leaf.physical_type == _TEXT and not is_text(types[leaf.path])  # of any length
                if page.encoding == DELTA_BYTE_ARRAY or is_decimal:
                    longest = max(longest, page.unpacked)
        together = max(VALUES_TOGETHER // len(types), FEWEST_ROWS_TOGETHER)
        dictionaries = [name for name, kind in types.items() if is_text(kind) and name not in without_dictionary]
        return Plan(max(1, min(together, BYTES_TOGETHER // longest)), tuple(dictionaries))

    def check_short_texts(self, name: str, values: pa.Array, rows: NDArray[np.int64]) -> None:
        """Check that a column's decoded texts, and all decoded so far, are within the limits."""
        encoded = pa.types.is_dictionary(values.type)
        lengths = pc.binary_length(values.dictionary if encoded else values).fill_null(0).to_numpy()
        if not len(lengths):
            return
        if lengths.max() > LARGEST_TEXT:
            codes = values.indices.fill_null(0).to_numpy() if encoded else np.arange(len(values))
            long = np.flatnonzero(lengths[codes] > LARGEST_TEXT)  # the dictionary may hold it for later rows
            raise self._too_long(int(lengths.max()), name, int(rows[long[0]]) if len(long) else None)
        if not encoded:
            self._decoded[name] += int(lengths.sum(dtype=np.int64))
            self._check_total_text(self._decoded[name], name)

    def _checked_pages(self, file: BufferedReader, metadata: Any, position: int, leaf: Any) -> Iterator[Page]:
        """Yield the pages of a column after a check of their decoded size."""
        total = 0
        for group in range(metadata.num_row_groups):
            column = metadata.row_group(group).column(position)
            for page in self._pages(file, column, leaf.path):
                if leaf.physical_type in (_TEXT, _BYTES):
                    total += page.unpacked
                    most = max(LARGEST_PAGE_OF_TEXTS, MOST_TEXT_A_BYTE * page.packed)
                    self._check_total_text(total, leaf.path)
                else:
                    most = MOST_BYTES_A_NUMBER * column.num_values + OVERHEAD
                if page.unpacked > most:
                    what = f"a page unpacks {page.packed:,} bytes into {page.unpacked:,}; expected at most {most:,}"
                    raise DataError(self._name, f"{what}; {_REMEDY}", byte=page.begin, column=leaf.path)
                yield page

    def _pages(self, file: BufferedReader, column: Any, name: str) -> Iterator[Page]:
        try:
            yield from pages(file.fileno(), self._size, column)
        except NoPageError as error:
            message = "the file is damaged: a page is missing"
            raise DataError(self._name, message, byte=error.byte, column=name) from error

    def _check_total_text(self, length: int, name: str) -> None:
        if length > self.most_text:
            what = f"the texts of the column take {length:,} bytes or more in a file of {self._size:,}"
            raise DataError(self._name, f"{what}; expected at most {self.most_text:,}; {_REMEDY}", column=name)

    def _too_long(self, length: int, name: str, row: int | None = None) -> DataError:
        message = f"a text has {length:,} bytes; expected at most {LARGEST_TEXT:,}; shorten it, or leave the column out"
        return DataError(self._name, message, row=row, column=name)


def is_text(arrow_type: pa.DataType) -> bool:
    """Whether values of a type have variable length, like texts."""
    return any(is_variable(arrow_type) for is_variable in _IS_TEXT)
