"""A file that a verb reads, which may be standard input."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mlpkit.errors import DataError

NAME: Final = "standard input"
_SUFFIXES: Final = {b"\x93NUMPY": ".npy", b"PK\x03\x04": ".npz"}
"""What names of NumPy's files end in, by the bytes that they begin with."""


@contextmanager
def file_or_standard_input(file: Path) -> Iterator[Path]:
    """Return a file, or if it is called ``-`` a copy of standard input, which lasts until the end of the block."""
    if str(file) != "-":
        yield file
        return
    if sys.stdin is None or sys.stdin.closed:
        raise DataError(NAME, "is closed; expected rows, as in: mlpkit predict RUN - < new.csv")
    with TemporaryDirectory(prefix="mlpkit-") as folder:
        copy = _copied(Path(folder) / "rows")
        try:
            yield copy
        except DataError as error:
            raise error.renamed(copy, NAME) from error


def _copied(path: Path) -> Path:
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    with path.open("rb") as file:
        begin = file.read(8)
    suffix = next((suffix for signature, suffix in _SUFFIXES.items() if begin.startswith(signature)), "")
    return path.rename(path.with_suffix(suffix)) if suffix else path
