"""What is installed: every plugin, what it provides, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlpkit.registry.registry import Registry


@dataclass(frozen=True)
class PluginReport:
    """One plugin.

    Args:
        namespace: what its components' names begin with.
        source: distribution, file or module that it comes from.
        version: the distribution's version; empty if it has none.
        status: loaded, broken, refused or blocked.
        reason: why it is broken, refused or blocked.
        components: names of its components by kind.
    """

    namespace: str
    source: str
    version: str
    status: str
    reason: str
    components: dict[str, list[str]]


def plugins(registry: Registry) -> list[PluginReport]:
    """Load every plugin and report on each, the built-ins first.

    Args:
        registry: the plugins.
    """
    provided = registry.components()
    reports = []
    for plugin in sorted(registry.plugins, key=lambda plugin: (not plugin.built_in, plugin.namespace, plugin.source)):
        components: dict[str, list[str]] = {}
        for entry in provided:
            if entry.plugin is plugin:
                components.setdefault(entry.kind, []).append(entry.name)
        reports.append(
            PluginReport(
                plugin.namespace, plugin.source, plugin.version, plugin.status.value, plugin.reason, components
            )
        )
    return reports
