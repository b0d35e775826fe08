"""The error for a file that can't be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlpkit import StorageError


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Convert operating system errors into a ``StorageError`` that names the file or folder that the block writes."""
    try:
        yield
    except OSError as error:
        msg = f"{path}: can't be written: {error.strerror or error}; check the disk, and what is at that path"
        raise StorageError(msg) from error
