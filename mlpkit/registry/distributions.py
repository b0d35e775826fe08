"""Installed distributions, and their entry points."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.machinery import PathFinder
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final, NamedTuple

from mlpkit.version import VERSION

if TYPE_CHECKING:
    from importlib.metadata import Distribution

METADATA_FOLDERS: Final = (".dist-info", ".egg-info")
"""How their names end."""
METADATA_FILES: Final = ("METADATA", "PKG-INFO")
ENTRY_POINTS_FILE: Final = "entry_points.txt"
PROGRAM: Final = "mlpkit"
"""The name of the distribution that is running."""

ABOUT_MLPKIT: Final = re.compile(r"\s*mlpkit(?![\w.-])", re.IGNORECASE)
"""The beginning of a requirement of mlpkit, and not of ``mlpkit-extras``."""


@dataclass
class MetadataFolder:
    """The metadata of a distribution in a folder on the import path, such as ``acme-1.2.dist-info``."""

    _path: Path

    def read_text(self, filename: str) -> str | None:
        """Return the text of a file; None if it isn't there, or can't be read."""
        try:
            return self._path.joinpath(filename).read_text(encoding="utf-8")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
            return None


class InstalledDistribution:
    """A distribution; its metadata is read when something asks for it, as that takes time."""

    def __init__(self, found: MetadataFolder | Distribution) -> None:
        self._found = found

    @cached_property
    def name(self) -> str:
        """Its name; empty if unknown."""
        return PROGRAM if self._is_program else next(self._headers("Name"), "") or self._folder_name[0]

    @cached_property
    def version(self) -> str:
        """Its version; empty if unknown."""
        return VERSION if self._is_program else next(self._headers("Version"), "") or self._folder_name[1]

    @property
    def license(self) -> str:
        """Its licence, as its metadata has it; empty if unknown."""
        classes = (each.rpartition("::")[2] for each in self._headers("Classifier") if each.startswith("License ::"))
        given = (*self._headers("License-Expression"), *classes, *self._headers("License"))
        return next(filter(None, given), "").strip().partition("\n")[0]

    @cached_property
    def identity(self) -> str:
        """Its name as indexes compare it, from the name of its folder if possible."""
        return normalized(self._folder_name[0] or self.name)

    @cached_property
    def incompatibility(self) -> str:
        """Why it can't be used with this version of mlpkit, by its metadata; empty if it can."""
        about = [] if self.identity == PROGRAM else list(filter(ABOUT_MLPKIT.match, self._headers("Requires-Dist")))
        if not about:
            return ""
        from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - few plugins get here

        for text in about:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                return f"its metadata requires {text!r}, which is not a requirement"
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if applies and not requirement.specifier.contains(VERSION, prereleases=True):
                return f"it requires mlpkit{requirement.specifier}, and this is mlpkit {VERSION}"
        return ""

    def entries(self, group: str) -> list[InstalledEntry]:
        """Return its entry points of a group; a single one with a fault if they can't be read."""
        try:
            text = self._found.read_text(ENTRY_POINTS_FILE) or ""
            found = _entries_of_group(text, group) if f"[{group}]" in text else ()
            return [InstalledEntry(self, name, value) for name, value in found]
        except UnicodeDecodeError as error:
            fault = f"its {ENTRY_POINTS_FILE} is not in UTF-8" if f"[{group}]".encode() in error.object else ""
        except ValueError as error:
            fault = str(error)
        return [InstalledEntry(self, self.name, fault=fault)] if fault else []

    def _headers(self, name: str) -> Iterator[str]:
        """Yield the values of a header of its metadata; the headers end at the first blank line."""
        headers = re.split(r"(?m)^\s*$", self._metadata, maxsplit=1)[0]
        return (found[1].strip() for found in re.finditer(rf"(?im)^{name}:(.*(?:\n[ \t].*)*)", headers))

    @cached_property
    def _metadata(self) -> str:
        return next(filter(None, map(self._text, METADATA_FILES)), "")

    def _text(self, file: str) -> str:
        """Return the text of a file of its metadata; empty if it isn't there."""
        try:
            return self._found.read_text(file) or ""
        except UnicodeDecodeError as error:
            return error.object.decode(errors="replace")
        except Exception:  # a distribution that can't be read is one without metadata
            return ""

    @property
    def _is_program(self) -> bool:
        """Whether it is the program that is running; reading its metadata would take time."""
        return normalized(self._folder_name[0]) == PROGRAM

    @cached_property
    def _folder_name(self) -> tuple[str, str]:
        """Name and version as in ``acme-1.2.dist-info``; empty without such a folder."""
        path = PurePath(str(getattr(self._found, "_path", "")))  # one in an archive isn't a file path
        if path.suffix not in METADATA_FOLDERS:
            return "", ""
        name, _, version = path.stem.partition("-")
        return name, version.partition("-")[0]


class InstalledEntry(NamedTuple):
    """An entry point; or a distribution, by its name, with the fault for which its entry points can't be read."""

    distribution: InstalledDistribution
    name: str
    value: str = ""
    fault: str = ""


def installed_distributions() -> Iterator[InstalledDistribution]:
    """Yield every distribution on the import path; the first of a name hides others, as it does for Python."""
    seen: set[str] = set()
    for distribution in map(InstalledDistribution, _found()):
        if distribution.identity not in seen:
            yield distribution
        seen |= {distribution.identity} - {""}


def _found() -> Iterable[MetadataFolder | Distribution]:
    """Return what ``importlib.metadata`` finds, which takes long to load: folders are found without it."""
    parents = [parent for parent in sys.path if isinstance(parent, str)]  # Python imports from no other
    other_finders = (finder for finder in sys.meta_path if finder is not PathFinder)
    # Archives have no folders of metadata, and Path.is_file may raise an error.
    archives = (parent.lower().endswith(".egg") or os.path.isfile(parent) for parent in parents)  # noqa: PTH113
    if any(hasattr(finder, "find_distributions") for finder in other_finders) or any(archives):
        from importlib.metadata import distributions  # noqa: PLC0415

        return distributions(path=parents)
    return (MetadataFolder(folder) for parent in parents for folder in _metadata_folders(parent))


def _metadata_folders(parent: str) -> list[Path]:
    """Return the folders of metadata in an entry of the import path; none if it can't be listed."""
    try:
        names = os.listdir(parent or ".")  # noqa: PTH208 - names are all that is needed
    except (OSError, ValueError):  # a NUL in the name
        return []
    return [Path(parent, name) for name in names if name.endswith(METADATA_FOLDERS)]


def installed_entries(group: str) -> list[InstalledEntry]:
    """Return the entry points of a group; a distribution that can't be read is one entry with a fault."""
    return [entry for distribution in installed_distributions() for entry in distribution.entries(group)]


def _entries_of_group(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of a group; importlib.metadata would read the file once more, and stop at any garbage."""
    inside = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and line and not line.startswith(("#", ";")):
            name, _, value = map(str.strip, line.partition("="))
            if not (name and value):
                raise ValueError(f"its {ENTRY_POINTS_FILE} can't be read; expected lines such as 'name = module'")
            yield name, value


def version_of(name: str) -> str | None:
    """Return the version of a distribution, empty if it has none, or None if it is not installed."""
    wanted = normalized(name)
    if wanted == PROGRAM:  # the running version, not the installed one
        return VERSION
    return next((found.version for found in installed_distributions() if found.identity == wanted), None)


def license_of(name: str) -> str:
    """Return the licence of an installed distribution, empty if it has none, or isn't installed."""
    return next((found.license for found in installed_distributions() if found.identity == normalized(name)), "")


def normalized(distribution: str) -> str:
    """Return a distribution's name as indexes compare it: case and separators don't count."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
