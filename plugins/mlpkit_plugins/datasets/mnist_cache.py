"""Keeps the shipped MNIST files, decompressed, in the user's cache folder.

The folder is ``~/.cache/mlpkit`` on Linux and ``~/Library/Caches/mlpkit`` on macOS, or the value of the environment
variable ``MLPKIT_CACHE``; the files are in its subfolder ``mnist``. Each file's SHA-256 is checked at every read, and a
wrong file is written again. The folder can be deleted at any time. Everything works without it, only slower.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.formats.idx import idx_header, read_idx_and_checksum


def cache_folder() -> Path:
    """Return the folder for decompressed MNIST files, which need not exist."""
    chosen = os.environ.get("MLPKIT_CACHE")
    if not chosen:
        import platformdirs  # noqa: PLC0415 - slow to load, and needed only here

        chosen = platformdirs.user_cache_dir("mlpkit")
    return Path(chosen) / "mnist"


def read_through_cache(compressed: Path, rank: int, checksum: str) -> NDArray[np.uint8]:
    """Read a compressed IDX file, from its decompressed copy if that is intact; otherwise write such a copy."""
    copy = cache_folder() / compressed.stem
    values = _read_copy(copy, rank, checksum)
    if values is None:
        values, actual = read_idx_and_checksum(compressed, rank)
        if actual != checksum:
            message = f"the SHA-256 of its decompressed content is {actual}; expected {checksum}; reinstall mlpkit"
            raise DataError(compressed, message)
        _write_copy(copy, values)
    return values


def _read_copy(copy: Path, rank: int, checksum: str) -> NDArray[np.uint8] | None:
    try:
        values, actual = read_idx_and_checksum(copy, rank)
    except DataError:  # missing or damaged; the compressed file is read instead
        return None
    return values if actual == checksum else None


def _write_copy(copy: Path, values: NDArray[np.uint8]) -> None:
    """Write the copy atomically; if several processes do so at once, the last one wins."""
    temporary = copy.with_name(f".{copy.name}.{os.getpid()}-{os.urandom(4).hex()}")
    with contextlib.suppress(OSError):  # the folder is full or read-only; the arrays in memory are enough
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(idx_header(values.shape))
                file.write(values.data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(copy)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
