"""Finds the files and folders that a spec names."""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path
from typing import Final

from mlpkit import ParameterError, did_you_mean

SHIPPED: Final = "example:"
"""The prefix of example files that ship with mlpkit."""

EXAMPLES: Final = Path(__file__).parents[1] / "datasets" / "example_files"

MOST_NAMES: Final = 500
"""The most names of a folder that are searched for a similar one."""

SPECS: Final = (".yaml", ".yml")
"""The suffixes of specs, which are never proposed although they often share the name of their data."""


def named_file(parameter: str, name: str) -> Path:
    """Return the path of a file that a parameter names.

    Args:
        parameter: the parameter.
        name: the path, relative to the current folder; ``~`` stands for the user's home, and ``example:`` for the
            folder of the files that ship with mlpkit.

    Raises:
        ParameterError: the file doesn't exist, or it can't be read twice, such as a pipe.
    """
    path = _place(parameter, name)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise _absent(parameter, name, path, "file", error) from error
    endless = os.path.realpath(path).startswith("/proc/")  # some of these never end, though their size is 0
    if endless or not stat.S_ISREG(mode):  # opening a named pipe would block
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise ParameterError(parameter, f"'{name}' is {what}", expected="a file")
    return path


def named_folder(parameter: str, name: str) -> Path:
    """Return the path of a folder that a parameter names, as ``named_file`` does for a file."""
    path = _place(parameter, name)
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as error:
        raise _absent(parameter, name, path, "folder", error) from error
    if not is_folder:
        raise ParameterError(parameter, f"'{name}' is a file", expected="a folder")
    return path


def located(name: str) -> Path:
    """Return the path of a file, which may be an example that ships with mlpkit; it need not exist."""
    return EXAMPLES / name.removeprefix(SHIPPED) if name.startswith(SHIPPED) else Path(name)


def _place(parameter: str, name: str) -> Path:
    try:
        return located(name).expanduser()
    except RuntimeError as error:
        raise ParameterError(parameter, f"'{name}' is not a valid path: {error}") from error


def _absent(parameter: str, name: str, path: Path, what: str, error: OSError | ValueError) -> ParameterError:
    if not isinstance(error, FileNotFoundError):
        reason = getattr(error, "strerror", None) or error
        return ParameterError(parameter, f"can't read the {what} '{name}': {reason}")
    names = [each for each in _names_in(path.parent, folders=what == "folder") if not each.endswith(SPECS)]
    similar = [each for each in names if did_you_mean(path.stem, [Path(each).stem])]  # suffixes don't count
    return ParameterError(parameter, f"there is no {what} '{name}'", remedy=did_you_mean(path.name, similar))


def _names_in(folder: Path, *, folders: bool) -> list[str]:
    """Return the sorted names of the folders, or of everything else, in a folder; at most ``MOST_NAMES``."""
    try:
        return sorted(entry.name for entry in islice(folder.iterdir(), MOST_NAMES) if entry.is_dir() == folders)
    except OSError:
        return []
