"""Everything that is installed, found once a process."""

from __future__ import annotations

from functools import cache

from mlpkit.registry.registry import Registry


@cache
def installed() -> Registry:
    """Return the registry of all installed plugins."""
    return Registry.discover()
