"""A log with a JSON object a line; a line is whole, or it isn't there."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Any

from mlpkit.errors import RunFolderError, StorageError
from mlpkit.runs import plain_json
from mlpkit.runs.bounded_file import LARGEST_LOG, read_bounded
from mlpkit.runs.storage_fault import storage_error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def encode_line(path: Path, record: Mapping[str, Any]) -> bytes:
    """Return a record as the line that a log holds for it.

    Args:
        path: the log, for the message.
        record: plain data; its keys keep their order.

    Raises:
        StorageError: the record isn't plain data with finite numbers.
    """
    try:
        return plain_json.encode_compact(record).encode() + b"\n"
    except ValueError as error:
        msg = f"{path}: can't be written: {error}; write None where there is no number"
        raise StorageError(msg) from error


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Add a record to the end of a log, which is made if it is missing.

    Raises:
        StorageError: the record isn't plain data with finite numbers, or the log can't be written.
    """
    line = encode_line(path, record)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            size = _remove_torn_line(descriptor)
            try:
                if os.write(descriptor, line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except BaseException:
                with contextlib.suppress(OSError):  # the failure that led here is the one to report
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_error(path, error) from error


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a log; a last line that was cut off while it was written doesn't count.

    Returns an empty list where there is no such file.

    Raises:
        RunFolderError: the log can't be read, or a line isn't a JSON object.
    """
    return [_record(path, number, line) for number, line in enumerate(_whole_lines(path), start=1)]


def readable_lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a log without those that are damaged, for a log that nothing depends on.

    Raises:
        RunFolderError: the log can't be read.
    """
    records = []
    for number, line in enumerate(_whole_lines(path), start=1):
        with contextlib.suppress(RunFolderError):
            records.append(_record(path, number, line))
    return records


def _whole_lines(path: Path) -> list[bytes]:
    try:
        return read_bounded(path, LARGEST_LOG).split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        msg = f"{path}: can't be read: {error.strerror}"
        raise RunFolderError(msg) from error


def _record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = plain_json.decode(line)
    except ValueError as error:
        msg = f"{path}:{number}: is damaged: {error}; restore the file from a copy, or repeat the run"
        raise RunFolderError(msg) from error
    if not isinstance(record, dict):
        msg = f"{path}:{number}: is damaged: expected a JSON object; restore the file from a copy, or repeat the run"
        raise RunFolderError(msg)
    return record


def _remove_torn_line(descriptor: int) -> int:
    """Cut off what a crash left of a last line, and return the size that remains."""
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    whole = os.pread(descriptor, size, 0).rfind(b"\n") + 1
    os.ftruncate(descriptor, whole)
    return whole
