"""Installed distributions, and their entry points."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import Distribution, distributions
from pathlib import PurePath
from typing import Final, NamedTuple

from mlpkit.version import VERSION

METADATA_FOLDERS: Final = (".dist-info", ".egg-info")
"""How their names end."""
ENTRY_POINTS_FILE: Final = "entry_points.txt"
PROGRAM: Final = "mlpkit"
"""The name of the distribution that is running."""

ABOUT_MLPKIT: Final = re.compile(r"\s*mlpkit(?![\w.-])", re.IGNORECASE)
"""The beginning of a requirement of mlpkit, and not of ``mlpkit-extras``."""


class InstalledDistribution:
    """A distribution; its metadata is read when something asks for it, as that takes time."""

    def __init__(self, found: Distribution) -> None:
        self._found = found

    @cached_property
    def name(self) -> str:
        """Its name; empty if unknown."""
        return PROGRAM if self._is_program else self._header("Name") or self._folder_name[0]

    @cached_property
    def version(self) -> str:
        """Its version; empty if unknown."""
        return VERSION if self._is_program else self._header("Version") or self._folder_name[1]

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
            if f"[{group}]" not in (self._found.read_text(ENTRY_POINTS_FILE) or ""):
                return []
            found = self._found.entry_points.select(group=group)
            return [InstalledEntry(self, each.name, each.value) for each in found]
        except UnicodeDecodeError as error:
            fault = f"its {ENTRY_POINTS_FILE} is not in UTF-8" if f"[{group}]".encode() in error.object else ""
        except (TypeError, ValueError):  # a line without "="
            fault = f"its {ENTRY_POINTS_FILE} can't be read; expected lines such as 'name = module'"
        return [InstalledEntry(self, self.name, fault=fault)] if fault else []

    def _headers(self, name: str) -> list[str]:
        """Return the values of a header of its metadata."""
        return [str(value).strip() for header, value in self._metadata if header.lower() == name.lower()]

    def _header(self, name: str) -> str:
        return next(iter(self._headers(name)), "")

    @cached_property
    def _metadata(self) -> list[tuple[str, str]]:
        try:
            return [*self._found.metadata.items()]  # type: ignore[attr-defined]
        except Exception:  # a distribution that can't be read is one without metadata
            return []

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
    parents = [parent for parent in sys.path if isinstance(parent, str)]  # Python imports from no other
    for distribution in map(InstalledDistribution, distributions(path=parents)):
        if distribution.identity not in seen:
            yield distribution
        seen |= {distribution.identity} - {""}


def installed_entries(group: str) -> list[InstalledEntry]:
    """Return the entry points of a group; a distribution that can't be read is one entry with a fault."""
    return [entry for distribution in installed_distributions() for entry in distribution.entries(group)]


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
