"""Turns the system's refusal to store something into advice."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from mlpkit.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

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
    errno.ENOLCK: "choose a folder on a file system with file locks",
    errno.EMFILE: "close files, or raise the limit of open files",
}


def storage_error(path: Path, error: OSError, *, action: str = "written") -> StorageError:
    """Return the error that says what couldn't be done to a file or folder, why, and what to do.

    Args:
        path: the file or folder.
        error: the system's refusal.
        action: what couldn't be done, as in "can't be written".
    """
    reason = error.strerror or str(error) or type(error).__name__
    remedy = _REMEDIES.get(error.errno or 0, "check the disk, or choose another folder")
    return StorageError(f"{path}: can't be {action}: {reason}; {remedy}")
