"""A file opened to be read, and nothing that would be waited for."""

from __future__ import annotations

import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlpkit import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path


@contextmanager
def regular_file(path: Path, name: str) -> Iterator[BufferedReader]:
    """Open a file that can be read more than once.

    Args:
        path: the file.
        name: what to call it in messages.

    Raises:
        DataError: there is no such file, it is none that can be read twice, or it can't be read.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # opening a named pipe would wait for ever
            raise DataError(name, f"is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}; expected a file")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise DataError(name, "no such file") from error
    except OSError as error:
        raise DataError(name, f"can't be read: {error.strerror or error}") from error
