"""The content of a gzip file, decompressed piece by piece."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlpkit import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC: Final = b"\x1f\x8b"
STEP: Final = 1 << 16
"""Bytes read at a time."""


class GzipStream(io.RawIOBase):
    """Reads a gzip file from front to back, and raises ``DataError`` if it is damaged; the path is for messages."""

    def __init__(self, file: io.BufferedReader, path: str | Path) -> None:
        self._content = gzip.GzipFile(fileobj=file)
        self._path = path

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, target: WriteableBuffer, /) -> int:
        """Fill the target from its beginning, and return the number of bytes; 0 at the end of the content."""
        try:
            return self._content.readinto(target)
        except EOFError as error:
            raise DataError(self._path, "the compressed content ends too early; the file is incomplete") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            message = f"the compressed content is damaged: {error}; restore the file from a copy"
            raise DataError(self._path, message) from error
