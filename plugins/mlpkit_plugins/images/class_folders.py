"""A folder with one subfolder per class, which holds the images of that class, at any depth."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from mlpkit import DataError

OF_THE_SYSTEM: Final = frozenset({"thumbs.db", "desktop.ini"})
"""Files that desktops create in any folder; hidden files are ignored, too."""


class ClassFile(NamedTuple):
    """A file of a class; the key is its path relative to the folder of all classes, with slashes, the class first."""

    path: Path
    key: str
    class_name: str


def class_folders(folder: Path, suffixes: Collection[str]) -> list[ClassFile]:
    """Return the files of all classes, in the order of their keys; suffixes are in lower case.

    Raises:
        DataError: there is no subfolder, one has no file, or a file has another suffix or is not in a subfolder.
    """
    files: list[ClassFile] = []
    for entry in _entries(folder):
        if not entry.is_dir():
            raise DataError(entry.path, "the file is next to the class folders; move it into one of them")
        paths = list(files_below(folder / entry.name, suffixes))
        if not paths:
            raise DataError(entry.path, f"the class folder holds no file; expected {', '.join(suffixes)}")
        files += [ClassFile(path, path.relative_to(folder).as_posix(), entry.name) for path in paths]
    if not files:
        raise DataError(folder, "the folder has no subfolders; expected one for each class")
    return sorted(files, key=lambda file: file.key)


def files_below(folder: Path, suffixes: Collection[str]) -> Iterator[Path]:
    """Return the files in a folder and below, in the order of their names."""
    for entry in _entries(folder):
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):  # a link might point to a parent folder
            yield from files_below(path, suffixes)
        elif path.suffix.lower() in suffixes:
            yield path
        else:
            raise DataError(path, f"the file type '{path.suffix}' is not one of {', '.join(suffixes)}; remove the file")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            kept = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(folder, f"the folder can't be read: {error.strerror or error}") from error
    return sorted((entry for entry in kept if entry.name.lower() not in OF_THE_SYSTEM), key=lambda entry: entry.name)
