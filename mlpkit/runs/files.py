"""Reading files of bounded size, and writing them whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from mlpkit.errors import MlpkitError, RunFolderError, StorageError
from mlpkit.system import BUSY, BYTES, FOLDER, is_regular

Result = TypeVar("Result")

_REMEDIES = {
    errno.ENOSPC: "free space on this disk, or choose another folder",
    errno.EDQUOT: "free space within your quota, or choose another folder",
    errno.EROFS: "choose a folder that is not read-only",
    errno.EACCES: "get permission to write there, or choose another folder",
    errno.EPERM: "get permission to write there, or choose another folder",
    errno.EIO: "check the disk or the network drive, or choose another folder",
    errno.ENOENT: "check that its folder still exists",
    errno.ENOTDIR: "a part of the path is a file; choose another folder",
    errno.EEXIST: "a file is in the way; choose another folder",
    errno.EISDIR: "a folder is in its place; move the folder, or choose another name",
    errno.ELOOP: "a link is in its place; remove the link",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "close files, or raise the limit of open files",
    errno.ENFILE: "close files, or raise the limit of open files",
}


def storage_error(path: Path, error: OSError, *, action: str = "written") -> StorageError:
    """Return the error for a file or folder that can't be written, or whatever the action is, with a remedy."""
    reason = error.strerror or str(error) or type(error).__name__
    remedy = _REMEDIES.get(error.errno or 0, "check the disk, or choose another folder")
    return StorageError(f"{path}: can't be {action}: {reason}; {remedy}")


def reading_error(path: Path, error: OSError, kind: type[MlpkitError], *, action: str = "read") -> MlpkitError:
    """Return the error of a kind for a file or folder that can't be read, unless the system is short of something."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return storage_error(path, error, action=action)
    return kind(f"{path}: can't be {action}: {error.strerror or error}; check the path and who may read it")


MOST_PATIENCE: Final = 2.0
"""Seconds."""

LARGEST_DOCUMENT: Final = 16 * 2**20
"""Bytes of a spec, lock file or metrics."""

LARGEST_LOG: Final = 64 * 2**20
"""Bytes of a log: some hundred thousand evaluations."""


def read_limited(path: Path, most: int) -> bytes:
    """Return a file's content, or raise ``OSError``, also if it isn't a regular file or is larger than that."""
    found = path.stat()
    if not is_regular(path) and not path.is_dir():  # opening a named pipe would wait for ever
        raise OSError(errno.EINVAL, "it is not a regular file")
    with open(path, "rb", buffering=0, opener=open_patiently) as file:
        content = file.read(min(found.st_size, most) + 1)  # as much memory as asked for is set aside
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 2**20} MiB")
    return content


def file_hash(path: Path) -> str | None:
    """Return the SHA-256 of a file, None if it is not there, or raise ``RunFolderError``."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise reading_error(path, error, RunFolderError) from error


def folders_in(directory: Path) -> list[Path]:
    """Return the folders in a folder, without hidden ones, in their natural order, or raise ``RunFolderError``."""
    try:
        with os.scandir(directory) as found:
            names = [entry.name for entry in found if not entry.name.startswith(".") and entry.is_dir()]
    except OSError as error:
        raise reading_error(directory, error, RunFolderError, action="listed") from error
    return [directory / name for name in sorted(names, key=natural_order)]


def natural_order(name: str) -> list[tuple[int, str]]:
    """Return what sorts ``seed-2`` before ``seed-10``."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


_PREFIX, _SUFFIX = ".mlpkit-", ".tmp"


def write_atomically(path: Path, content: bytes | Iterable[bytes | memoryview]) -> None:
    """Write a file so that a reader, also one after a power failure, finds the earlier content or the new.

    The content, bytes at once or in parts, goes to a temporary file in the same folder, which is flushed to the disk
    and then renamed. After a failure, a ``StorageError``, the earlier file is untouched and the temporary one is gone.
    """
    parts = [content] if isinstance(content, bytes) else content
    try:
        if not path.name:  # the current folder, or the root
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with _flushed(path.parent):
            _replace(path, parts)
    except OSError as error:
        raise storage_error(path, error) from error


def require_writable(path: Path) -> None:
    """Raise ``StorageError`` if ``write_atomically`` won't be able to write a file, before the work is done for it."""
    try:
        with _opened(path.parent):
            pass
        reason = errno.EISDIR if path.is_dir() else 0 if os.access(path.parent, os.W_OK) else errno.EACCES
    except OSError as error:
        raise storage_error(path, error) from error
    if reason:
        raise storage_error(path, OSError(reason, os.strerror(reason)))


def make_folder(path: Path) -> None:
    """Make a folder, unless it exists, so that it is still there after a power failure, or raise ``StorageError``."""
    if path.is_dir():
        return
    try:
        with _flushed(path.parent):
            path.mkdir(exist_ok=True)
    except OSError as error:
        raise storage_error(path, error, action="made") from error


def open_patiently(path: str | Path, flags: int) -> int:
    """Open a file or folder, for which it may wait some seconds, as ``patiently`` does, or raise ``OSError``."""
    return patiently(lambda: os.open(path, flags | BYTES, 0o666), (errno.EMFILE, errno.ENFILE, *BUSY))


def patiently(call: Callable[[], Result], passing: Collection[int] = BUSY) -> Result:
    """Return what a call of the system returns; while it fails with one of these errors, try again for some seconds."""
    deadline = time.monotonic() + MOST_PATIENCE
    while True:
        try:
            return call()
        except OSError as error:
            if error.errno not in passing or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def read_at(descriptor: int, place: int, most: int) -> bytes:
    """Return at most so many bytes at a place of a file, whose position changes."""
    os.lseek(descriptor, place, os.SEEK_SET)
    return os.read(descriptor, most)


def remove_file(path: Path) -> None:
    """Remove a file, if it is there, or raise ``StorageError``."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error, action="removed") from error


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of processes that were killed; only the folder's writer may call it."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with contextlib.suppress(OSError):  # what can't be removed does no harm
            path.unlink(missing_ok=True)


def _replace(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    temporary = path.with_name(f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}")
    try:
        _write(temporary, parts)
        patiently(lambda: os.replace(temporary, path))  # noqa: PTH105 - one style for the system calls of this file
    except BaseException:
        with contextlib.suppress(OSError):  # the failure that led here is the one to report
            os.unlink(temporary)  # noqa: PTH108 - one style for the system calls of this file
        raise


def _write(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    descriptor = open_patiently(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        for part in parts:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _flushed(folder: Path) -> Iterator[None]:
    """Flush a folder to the disk at the end of the block."""
    with _opened(folder) as descriptor:  # first: once a file is renamed, as little as possible may still fail
        yield
        try:
            if descriptor is not None:
                os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some file systems keep folders safe by themselves and can't flush them
                raise


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int | None]:
    """Open a folder for the block; where the system can't, check that it is there."""
    if not FOLDER:
        os.scandir(folder).close()
        yield None
        return
    descriptor = open_patiently(folder, os.O_RDONLY | FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
