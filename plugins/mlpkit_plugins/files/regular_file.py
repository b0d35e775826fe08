"""Opens regular files only, since opening a pipe would block, and gzip files; reads parts; explains errors."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from mlpkit import DataError, StorageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


MAGIC: Final = b"\x1f\x8b"
BUFFER: Final = 1 << 16
"""Bytes read at a time."""


@contextmanager
def regular_file(path: Path, name: str | Path, expected: str = "a file") -> Iterator[io.BufferedReader]:
    """Open a file that can be read more than once; its name and what it should be are for messages.

    Raises:
        DataError: the file doesn't exist, isn't a regular file, or can't be read.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # opening a named pipe would block
            what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise DataError(name, f"is {what}; expected {expected}")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise DataError(name, "no such file") from error
    except OSError as error:
        raise DataError(name, f"can't be read: {error.strerror or error}") from error


def sized(file: io.BufferedReader) -> io.BufferedReader:
    """Return the file, or no content if its size is 0, since such files in ``/proc`` may never end."""
    return file if os.fstat(file.fileno()).st_size else io.BufferedReader(io.BytesIO())


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


_TURN: Final = Lock()


def read_at(descriptor: int, place: int, target: memoryview) -> int:
    """Fill bytes with those of a file, and return how many were read: 0 at the end, fewer than asked for before it.

    Threads may read the same file at the same time.

    Args:
        descriptor: the file, open for reading; its position may change.
        place: an offset in bytes.
        target: where the bytes go.

    Raises:
        OSError: the file can't be read.
    """
    if hasattr(os, "preadv"):
        received: int = os.preadv(descriptor, [target], place)
        return received
    with _TURN, FileIO(descriptor, closefd=False) as file:  # Windows
        file.seek(place)
        return file.readinto(target) or 0


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Convert operating system errors into a ``StorageError`` that names the file or folder that the block writes."""
    try:
        yield
    except OSError as error:
        msg = f"{path}: can't be written: {error.strerror or error}; check the disk, and what is at that path"
        raise StorageError(msg) from error
