"""The headers of a Parquet file's pages, which declare the decoded size of each page.

A header is a structure in Thrift's compact protocol; a few fields are read, the rest are skipped.

Source: Apache Parquet, "File Format", with ``parquet.thrift``; Apache Thrift, "Thrift Compact protocol encoding".
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

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
    """A page.

    Args:
        begin: the offset of its header.
        packed: the size of its content in the file.
        unpacked: its declared size after decoding.
        values: its declared number of column values; 0 for a dictionary.
        encoding: the number of their encoding in ``parquet.thrift``; None for a dictionary.
    """

    begin: int
    packed: int
    unpacked: int
    values: int
    encoding: int | None


class NoPageError(ValueError):
    """A page is missing.

    Args:
        byte: its offset.
    """

    def __init__(self, byte: int) -> None:
        self.byte = byte
        super().__init__(byte)


def pages(descriptor: int, size: int, column: Any) -> Iterator[Page]:
    """Yield the pages of a column in a row group.

    Args:
        descriptor: the file, open for reading.
        size: the size of the file in bytes.
        column: the metadata of the column from pyarrow.

    Raises:
        NoPageError: the file holds something else, or a page extends beyond its end.
        OSError: the file can't be read.
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
        read = os.pread(descriptor, length, place)
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

    Args:
        content: bytes that start with one and may be longer; if they are too short, reading raises an IndexError.
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
