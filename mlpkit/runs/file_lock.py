"""Locks on open files, which the system releases when the process ends: flock, or on Windows a lock on a byte."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from importlib import import_module
from types import ModuleType

fcntl: ModuleType | None
try:
    fcntl = import_module("fcntl")
except ImportError:  # Windows and WebAssembly
    fcntl = None

_FAR = 1 << 30
"""The offset of the byte, beyond all content: on Windows, only its owner can read a locked byte."""
_LOOKS = 5
_SECONDS = 0.01


def lock(descriptor: int) -> None:
    """Lock a file, or raise ``BlockingIOError`` if another open file of the same name is locked."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        _change_byte(descriptor, "LK_NBLCK")


def unlock(descriptor: int) -> None:
    """Give a lock back."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    else:
        _change_byte(descriptor, "LK_UNLCK")


def require_unlocked(descriptor: int) -> None:
    """Raise ``BlockingIOError`` if a file is locked; others may ask this at the same time."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return unlock(descriptor)
    for _ in range(_LOOKS):
        with suppress(BlockingIOError):  # perhaps of someone who asks, too
            return _lock_for_an_instant(descriptor)
        time.sleep(_SECONDS)
    return _lock_for_an_instant(descriptor)


def _lock_for_an_instant(descriptor: int) -> None:
    _change_byte(descriptor, "LK_NBLCK")
    _change_byte(descriptor, "LK_UNLCK")


def _change_byte(descriptor: int, change: str) -> None:
    msvcrt = import_module("msvcrt")
    os.lseek(descriptor, _FAR, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, getattr(msvcrt, change), 1)
    except PermissionError as error:
        raise BlockingIOError(error.errno, error.strerror) from error
