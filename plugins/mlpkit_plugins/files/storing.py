"""Files that a component writes, and the error if that fails."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlpkit import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn the system's errors into one that names the file.

    Args:
        path: the file or folder that is written in the block.

    Raises:
        StorageError: the block raised an error of the system.
    """
    try:
        yield
    except OSError as error:
        msg = f"{path}: can't be written: {error.strerror or error}; check the disk, and what is at that path"
        raise StorageError(msg) from error
