"""Finds the files and folders that a spec names."""

from __future__ import annotations

import os
import re
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

MOST_SHOWN: Final = 3

SPECS: Final = (".yaml", ".yml")
"""The suffixes of specs, which are never proposed although they often share the name of their data."""

_PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d{1,9})?) ?%")


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
    percent = _PERCENT.fullmatch(name)
    if percent:
        share = f"write {float(percent[1]) / 100:g} for a share of {name}"
        return ParameterError(parameter, f"there is no {what} '{name}'", remedy=share)
    remedy = _remedy(path, folders=what == "folder")
    return ParameterError(parameter, f"there is no {what} '{name}'", remedy=remedy)


def _remedy(path: Path, *, folders: bool) -> str:
    """Return the file or folder that was probably meant, or some others in its folder."""
    moved = _moved(path, folders=folders)
    if moved is not None:
        return f"did you mean '{moved}'?"
    names = [name for name in _names_in(path.parent, folders=folders) if not name.endswith(SPECS)]
    similar = [name for name in names if did_you_mean(path.stem, [Path(name).stem])]  # suffixes don't count
    others = [name for name in names if path.suffix and Path(name).suffix == path.suffix][:MOST_SHOWN]
    return did_you_mean(path.name, similar) or (f"its folder has {', '.join(others)}" if others else "")


def _moved(path: Path, *, folders: bool) -> str | None:
    """Return the path of a file or folder of the same name in a parent, child or sibling folder; None without one."""
    for folder in (path.parent, Path(os.path.normpath(path.parent / ".."))):
        within = [folder / name for name in _names_in(folder, folders=True) if not name.startswith(".")]
        for place in (folder, *within):
            candidate = place / path.name
            if candidate.exists() and candidate.is_dir() == folders:
                return os.path.normpath(candidate)
    return None


def _names_in(folder: Path, *, folders: bool) -> list[str]:
    """Return the sorted names of the folders, or of everything else, in a folder; at most ``MOST_NAMES``."""
    try:
        return sorted(entry.name for entry in islice(folder.iterdir(), MOST_NAMES) if entry.is_dir() == folders)
    except OSError:
        return []
