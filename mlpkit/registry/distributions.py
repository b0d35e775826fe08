"""Entry points of installed distributions, also where some distribution's metadata is damaged."""

from __future__ import annotations

import re
from importlib.metadata import distributions, entry_points
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import Distribution, EntryPoint


class InstalledEntry(NamedTuple):
    """An entry point, or what is wrong with the distribution that should have one.

    Args:
        name: the entry point's name; the distribution's if there is a fault.
        distribution: the distribution's name.
        version: its version; empty if it is not known.
        entry: the entry point, or None if there is a fault.
        fault: why the distribution's entry points can't be read.
    """

    name: str
    distribution: str
    version: str
    entry: EntryPoint | None
    fault: str = ""


def installed_entries(group: str) -> list[InstalledEntry]:
    """Return the entry points of a group; a distribution that can't be read is one entry with a fault.

    Args:
        group: the group's name.
    """
    try:
        found = list(entry_points(group=group))
    except Exception:  # one distribution's damage must not hide all the others
        return list(_one_by_one(group))
    return [_installed(entry) for entry in found]


def normalized(distribution: str) -> str:
    """Return a distribution's name as indexes compare it: case and separators don't count."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _one_by_one(group: str) -> Iterator[InstalledEntry]:
    seen = set()
    for distribution in distributions():
        name, version = _name_and_version(distribution)
        if name and normalized(name) in seen:  # hidden by the same distribution earlier in sys.path
            continue
        seen.add(normalized(name))
        try:
            entries = distribution.entry_points.select(group=group)
        except Exception as error:
            if f"[{group}]" in (distribution.read_text("entry_points.txt") or ""):
                fault = f"its entry_points.txt can't be read: {type(error).__name__}: {error}"
                yield InstalledEntry(name, name, version, None, fault)
            continue
        yield from map(_installed, entries)


def _installed(entry: EntryPoint) -> InstalledEntry:
    name, version = _name_and_version(entry.dist) if entry.dist else ("", "")
    return InstalledEntry(entry.name, name or entry.value, version, entry)


def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    metadata = distribution.metadata
    name, version = ((metadata.get_all(key) or [""])[0] for key in ("Name", "Version"))
    return name, version
