"""Sees to it that a run folder has one writer at a time.

The system releases the lock, flock or on Windows a lock on a byte, when the process ends.
"""

from __future__ import annotations

import contextlib
import os
import time
from importlib import import_module
from pathlib import Path
from socket import gethostname
from types import ModuleType
from typing import NamedTuple

from mlpkit.errors import RunFolderError
from mlpkit.runs.files import read_at, storage_error
from mlpkit.runs.layout import WRITER
from mlpkit.system import BYTES, NO_LINK, NO_WAIT, REMOVES_OPEN_FILES, can_start_processes

fcntl: ModuleType | None
try:
    fcntl = import_module("fcntl")
except ImportError:  # Windows and WebAssembly
    fcntl = None

_FAR = 1 << 30
"""The offset of the byte, beyond all content: on Windows, only its owner can read a locked byte."""

_LONGEST_NOTE = 300
"""Bytes of a lock file: the number of a process, and below it the name of its machine, of 255 at most."""

SECONDS_FOR_A_LOOK = 0.02
MOST_LOOKS = 100
"""Of readers in a row that a writer waits for: on a busy machine, one may last."""


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
    """Raise ``BlockingIOError`` if a file is locked; on POSIX, others may ask this at the same time."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    else:
        lock(descriptor)
    unlock(descriptor)


def _change_byte(descriptor: int, change: str) -> None:
    msvcrt = import_module("msvcrt")
    os.lseek(descriptor, _FAR, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, getattr(msvcrt, change), 1)
    except PermissionError as error:
        raise BlockingIOError(error.errno, error.strerror) from error


class Writer(NamedTuple):
    """What writes to a folder.

    Args:
        pid: the number of the process; 0 if it isn't known.
        host: the name of its machine; empty if it isn't known.
    """

    pid: int
    host: str

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, or on an unknown one."""
        return self.host in ("", gethostname())

    @property
    def is_this_process(self) -> bool:
        """Whether it is the process that asks."""
        return self.is_here and self.pid == os.getpid()

    def __str__(self) -> str:
        """Name it."""
        if not self.pid:
            return "another process"
        if self.is_here:
            return "this process" if self.is_this_process else f"process {self.pid}"
        return f"process {self.pid} on {self.host}"


class WriterLock:
    """An exclusive lock on a file, which the system releases when its holder dies.

    The lock is advisory: it binds writers, who ask for it, and not readers. In WebAssembly, which has no other
    processes, nothing is locked. The file is made if it is missing, and stays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise ``RunFolderError`` if another writer holds it, ``StorageError`` if that fails."""
        if self._descriptor is not None or not can_start_processes():
            return
        try:
            descriptor = self._open_locked()
            while not self._is_file_of(descriptor):
                os.close(descriptor)
                descriptor = self._open_locked()
        except OSError as error:
            raise storage_error(self.path, error, action="locked") from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back, if this object holds it."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            # Closing alone would leave the lock with a forked process that shares the descriptor.
            with contextlib.suppress(OSError):  # it holds nothing that could be lost, and ends with the process
                unlock(descriptor)
                os.close(descriptor)

    def remove(self) -> None:
        """Remove the file and give the lock back, or raise ``OSError``; no other writer's file is removed."""
        if not REMOVES_OPEN_FILES:  # nor is another writer's file, which is open
            self.release()
        self.path.unlink(missing_ok=True)
        self.release()

    def another_writer(self) -> Writer | None:
        """Return what is writing now; None if nothing else is."""
        if self._descriptor is not None or not can_start_processes():
            return None
        try:
            descriptor = os.open(self.path, os.O_RDONLY | BYTES | NO_LINK | NO_WAIT)
        except OSError:  # nothing ever wrote to it, or one may not look
            return None
        try:
            require_unlocked(descriptor)
        except BlockingIOError:
            return _writer(descriptor)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return None

    def _open_locked(self) -> int:
        # A link in a stranger's folder could lead anywhere, and what it leads to would be overwritten.
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | BYTES | NO_LINK, 0o666)
        try:
            _lock(descriptor)
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"{os.getpid()}\n{gethostname()}\n".encode())
        except BlockingIOError as error:
            holder = _writer(descriptor)
            os.close(descriptor)
            raise RunFolderError(f"{self.path.parent}: {holder} is writing to it; wait until that is done") from error
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _is_file_of(self, descriptor: int) -> bool:
        """Whether the path still leads to that file: a writer that gave up may have removed it just before."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(descriptor))  # noqa: PTH116 - as the calls around it
        except FileNotFoundError:
            return False


def writer_of(directory: Path) -> Writer | None:
    """Return what else writes to a run folder or to that of a sweep now; None if nothing does."""
    return WriterLock(directory / WRITER).another_writer()


def _lock(descriptor: int) -> None:
    """Lock a file; readers that look for its writer share it for an instant, as no writer does."""
    for _ in range(MOST_LOOKS):
        with contextlib.suppress(BlockingIOError):
            lock(descriptor)
            return
        require_unlocked(descriptor)
        time.sleep(SECONDS_FOR_A_LOOK)
    lock(descriptor)


def _writer(descriptor: int) -> Writer:
    """Return the holder of a lock file."""
    note = read_at(descriptor, 0, _LONGEST_NOTE).decode("utf-8", "replace")
    pid, _, host = note.strip().partition("\n")
    return Writer(int(pid), host) if pid.isascii() and pid.isdigit() else Writer(0, "")
