"""Reads a file whole that may come from anywhere: never a pipe, never more than is expected of such a file."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_DOCUMENT: Final = 16 * 2**20
"""Bytes of a spec, lock file or metrics."""

LARGEST_LOG: Final = 64 * 2**20
"""Bytes of a log: some hundred thousand evaluations."""


def read_bounded(path: Path, most: int) -> bytes:
    """Return a file's content.

    Args:
        path: the file.
        most: how many bytes it may have.

    Raises:
        OSError: it can't be read, is no regular file, or is larger than that.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):  # opening a named pipe would wait for ever
        raise OSError(errno.EINVAL, "it is not a regular file")
    with path.open("rb", buffering=0) as file:
        content = file.read(min(found.st_size, most) + 1)  # as much memory as asked for is set aside
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 2**20} MiB")
    return content
