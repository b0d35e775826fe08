"""The content of a gzip file, decompressed piece by piece.

Unlike the standard library's ``gzip``, it raises a single kind of exception, and rejects reserved flags.

Source: P. Deutsch, "GZIP file format specification version 4.3", RFC 1952, 1996.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Final

from mlpkit import DataError

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

    from _typeshed import WriteableBuffer

MAGIC: Final = b"\x1f\x8b"
WITH_GZIP_HEADER: Final = 16 + zlib.MAX_WBITS
_STEP = 1 << 16


class GzipStream:
    """Reads a gzip file, of one member or several, from front to back.

    Args:
        file: the file, at its beginning.
        path: its path or name, for messages.
    """

    def __init__(self, file: BufferedReader, path: str | Path) -> None:
        self._file = file
        self._path = path
        self._member = zlib.decompressobj(WITH_GZIP_HEADER)
        self._waiting = b""
        self._position = 0

    def read(self, most: int) -> bytes:
        """Return at most ``most`` bytes of the content; empty at its end.

        Raises:
            DataError: the file is damaged or incomplete.
        """
        while True:
            self._waiting = self._waiting or self._file.read(_STEP) or b""
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

    def readinto(self, target: memoryview) -> int:
        """Fill the target from its beginning, and return the number of bytes; 0 at the end of the content.

        Raises:
            DataError: the file is damaged or incomplete.
        """
        content = self.read(len(target))
        target[: len(content)] = content
        return len(content)

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


class _Decompressed(io.RawIOBase):
    def __init__(self, stream: GzipStream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, target: WriteableBuffer, /) -> int:
        return self._stream.readinto(memoryview(target))


def decompressed(file: BufferedReader, name: str) -> BufferedReader:
    """Return a reader of the content of a gzip file.

    Args:
        file: the file, at its beginning.
        name: its name in messages.
    """
    return io.BufferedReader(_Decompressed(GzipStream(file, name)), _STEP)
