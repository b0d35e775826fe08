"""A folder with one subfolder per class, which holds the images of that class, at any depth, and their weights."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mlpkit import DataError
from mlpkit_plugins.formats.csv_file import CsvFile
from mlpkit_plugins.formats.texts import shown_text

OF_THE_SYSTEM: Final = frozenset({"thumbs.db", "desktop.ini"})
"""Files that desktops create in any folder; hidden files are ignored, too."""


class ClassFile(NamedTuple):
    """A file of a class; the key is its path relative to the folder of all classes, with slashes, the class first."""

    path: Path
    key: str
    class_name: str
    weight: float = 1.0


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


FILE: Final = "file"
WEIGHT: Final = "weight"
"""The columns: an image's path relative to the folder, with slashes, and its weight."""


def with_weights(files: Sequence[ClassFile], path: Path, name: str) -> list[ClassFile]:
    """Return images with their weights in a CSV file; images of weight 0 are left out."""
    weights = _weights(path, name)
    absent = [file.key for file in files if file.key not in weights]
    if absent:
        count = f"{len(absent):,} of {len(files):,} images have" if len(absent) > 1 else "an image has"
        message = f"{count} no row, such as {shown_text(absent[0])}; add one for each, with the class before the name"
        raise DataError(name, message, column=FILE)
    counting = [file._replace(weight=weights[file.key]) for file in files if weights[file.key]]
    if not counting:
        raise DataError(name, "the weight of every image is 0", column=WEIGHT)
    return counting


def _weights(path: Path, name: str) -> dict[str, float]:
    """Return the weights by an image's path relative to the folder."""
    table = CsvFile(path, name=name)
    for column in (FILE, WEIGHT):
        if column not in table.header:
            message = f"there is no such column; expected '{FILE}' and '{WEIGHT}'"
            raise DataError(name, message, row=table.header_row, column=column)
    weights = {}
    for block in table.blocks((FILE, WEIGHT)):
        for row, file, text in zip(block.rows.tolist(), *block.columns, strict=True):
            weights[file.strip()] = _weight(name, row, text)
    return weights


def _weight(name: str, row: int, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        message = f"{shown_text(text)} is not a weight; expected 0 or more"
        raise DataError(name, message, row=row, column=WEIGHT)
    return weight
