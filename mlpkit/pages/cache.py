"""Texts that take long to make and never change, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mlpkit.errors import StorageError
from mlpkit.runs.files import write_atomically


def cached_text(name: str, make: Callable[[], str]) -> str:
    """Return a text from the cache folder, or make it and keep it there; its name encodes all it depends on.

    The folder is the operating system's for caches, or ``MLPKIT_CACHE``. A damaged text is made again; without write
    access, each is made each time.
    """
    file = cache_folder() / name
    with suppress(OSError, UnicodeDecodeError):
        checksum, _, text = file.read_bytes().decode().partition("\n")
        if checksum == _checksum(text):
            return text
    text = make()
    with suppress(OSError, StorageError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, f"{_checksum(text)}\n{text}".encode())
    return text


def cache_folder() -> Path:
    """Return the folder for what pages need, which may not exist yet."""
    chosen = os.environ.get("MLPKIT_CACHE")
    if not chosen:
        import platformdirs  # noqa: PLC0415 - slow to load, and needed only here

        chosen = platformdirs.user_cache_dir("mlpkit")
    return Path(chosen) / "pages"


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
