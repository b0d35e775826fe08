"""Reads a part of an open file."""

from __future__ import annotations

import os
from io import FileIO
from threading import Lock
from typing import Final

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
