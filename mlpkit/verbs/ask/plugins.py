"""What is installed: every plugin, what it provides, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Unpack

from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.distributions import version_of
from mlpkit.registry.plugin import Plugin
from mlpkit.registry.probe import ProbeResult, verdict_here
from mlpkit.registry.registry import Registry

if TYPE_CHECKING:
    from mlpkit.specfile.spec import Spec


@dataclass(frozen=True)
class PluginReport:
    """A plugin, its components by kind, faulty ones included, and what is known of each by its name."""

    namespace: str
    source: str
    version: str
    file: str
    status: str
    reason: str
    components: dict[str, list[str]] = field(default_factory=dict)
    deprecated: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    computed_by: dict[str, str] = field(default_factory=dict)

    @property
    def by_computation(self) -> dict[str, list[str]]:
        """The names of its components, grouped by what computes them; others are missing."""
        return _grouped(self.computed_by)


def plugins(spec: Spec | None = None, **plugin_options: Unpack[PluginOptions]) -> list[PluginReport]:
    """Report on every plugin, or on those that a spec uses, the built-ins first; each is loaded in a second process."""
    if spec is None:
        return [_report(plugin, verdict) for plugin, verdict in Registry.discover(**plugin_options).examined()]
    used = {id(plugin) for plugin in spec.registry.used()}
    return [_report(plugin, verdict) for plugin, verdict in spec.registry.examined() if id(plugin) in used]


def what_computes() -> dict[str, str]:
    """Return what ``mlpkit --version --verbose`` prints: what computes which built-in components, and the machine."""
    verdicts = [verdict_here(plugin) for plugin in Registry.discover().plugins if plugin.built_in]
    computed_by = {component.name: component.computed_by for verdict in verdicts for component in verdict.provided}
    lines = {", ".join(names): f"computed by {by}" for by, names in _grouped(computed_by).items()}
    from mlpkit.runs.environment import environment  # noqa: PLC0415 - loads NumPy, which a list of plugins doesn't need

    about = environment()
    about["blas"] = " ".join(filter(None, about["blas"].values()))
    return lines | about


def _grouped(computed_by: Mapping[str, str]) -> dict[str, list[str]]:
    """Group components by what computes them; leave out components without that information."""
    groups: dict[str, list[str]] = {}
    for name, computation in computed_by.items():
        if computation:
            groups.setdefault(computation, []).append(name)
    return groups


def requirements(spec: Spec | None = None, **plugin_options: Unpack[PluginOptions]) -> list[str]:
    """Return a line for pip for each distribution whose plugins specs can name, or that a spec needs."""
    versions = {} if spec is None else {name: version_of(name) or "" for name in spec.requires}
    for plugin in Registry.discover(**plugin_options).plugins if spec is None else spec.registry.used():
        plugin.refuse_if_incompatible()
        if plugin.usable and plugin.origin.distribution is not None:
            versions.setdefault(plugin.source, plugin.version)
    return [f"{name}=={version}" if version else name for name, version in sorted(versions.items())]


def _report(plugin: Plugin, verdict: ProbeResult) -> PluginReport:
    status, reason = "loaded" if plugin.usable else plugin.status.value, verdict.reason or plugin.reason
    report = PluginReport(plugin.namespace, plugin.source, plugin.version, plugin.origin.file, status, reason)
    for component in verdict.provided:
        name = plugin.qualified(component.name)
        report.components.setdefault(component.kind, []).append(name)
        if component.deprecated:
            report.deprecated[name] = component.deprecated
        if component.fault:
            report.faults[name] = component.fault
        if component.computed_by:
            report.computed_by[name] = component.computed_by
    return report
