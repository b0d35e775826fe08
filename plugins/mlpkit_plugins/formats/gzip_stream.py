"""The content of a gzip file, decompressed piece by piece.

Unlike the standard library's ``gzip``, it raises a single kind of exception, and rejects reserved flags.

Source: P. Deutsch, "GZIP file format specification version 4.3", RFC 1952, 1996.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlpkit import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC: Final = b"\x1f\x8b"
WITH_GZIP_HEADER: Final = 16 + zlib.MAX_WBITS
STEP: Final = 1 << 16
"""Bytes read at a time."""


class GzipStream(io.RawIOBase):
    """Reads a gzip file, of one member or several, from front to back; the path is for messages."""

    def __init__(self, file: io.BufferedReader, path: str | Path) -> None:
        self._file = file
        self._path = path
        self._member = zlib.decompressobj(WITH_GZIP_HEADER)
        self._waiting = b""
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, target: WriteableBuffer, /) -> int:
        """Fill the target from its beginning, and return the number of bytes; 0 at the end of the content.

        Raises:
            DataError: the file is damaged or incomplete.
        """
        view = memoryview(target)
        content = self._next(len(view))
        view[: len(content)] = content
        return len(content)

    def _next(self, most: int) -> bytes:
        """Return at most ``most`` bytes of the content; empty at its end."""
        while True:
            self._waiting = self._waiting or self._file.read(STEP) or b""
            if self._member.eof:
                if not self._waiting:
                    return b""
                self._member = zlib.decompressobj(WITH_GZIP_HEADER)
            at_end = not self._waiting
            content = self._decompress(most)
            if content:
                return content
            if at_end and not self._member.eof:
                message = "the compressed content ends too early; the file is incomplete"
                raise DataError(self._path, message, byte=self._position)

    def _decompress(self, most: int) -> bytes:
        try:
            content = self._member.decompress(self._waiting, most)
        except zlib.error as error:
            reason = str(error).rpartition(": ")[2]
            message = f"the compressed content from here on is damaged: {reason}; restore the file from a copy"
            raise DataError(self._path, message, byte=self._position) from error
        rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        self._position += len(self._waiting) - len(rest)
        self._waiting = rest
        return content
