"""Finding plugins without importing them: installed distributions, local files, modules."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TypedDict

from mlpkit.components.hook import ENTRY_POINT_GROUP
from mlpkit.errors import UsageError
from mlpkit.registry.distributions import PROGRAM, InstalledEntry, installed_entries
from mlpkit.registry.plugin import BUILT_IN, Plugin, PluginOrigin, Status

NAMESPACE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class PluginOptions(TypedDict, total=False):
    """The keywords of ``Registry.discover``: further plugins, and namespaces or names of components that are disabled.

    A registry remembers which components were asked for, so each spec and each run has its own.
    """

    plugins: Iterable[str | Path | ModuleType]
    blocked: Iterable[str]


def installed_plugins() -> list[Plugin]:
    """Return a plugin for each entry point of the group ``mlpkit``, in the order of their names.

    The built-in namespace belongs to the distribution that owns ``mlpkit``; another's claim to it is refused,
    and so is a namespace that is claimed twice.
    """
    claims: dict[str, list[InstalledEntry]] = {}
    for installed in installed_entries(ENTRY_POINT_GROUP):
        claims.setdefault(installed.name, []).append(installed)
    return [plugin for namespace in sorted(claims) for plugin in _claimed(namespace, claims[namespace])]


def local_plugins(plugins: Iterable[str | Path | ModuleType]) -> list[Plugin]:
    """Return a plugin for each module, or path of a Python file.

    The namespace of a file is its stem, that of a module the last part of its name.

    Raises:
        UsageError: a path is not a Python file that exists, or a module's name can't be found.
    """
    if isinstance(plugins, str):  # a single one, whose letters would be taken for plugins
        plugins = [plugins]
    return [_local_plugin(plugin) for plugin in plugins]


def _claimed(namespace: str, claims: Sequence[InstalledEntry]) -> list[Plugin]:
    """Return the plugins that claim a namespace, and refuse all that may not have it."""
    plugins = []
    for installed in claims:
        plugin = Plugin(namespace, PluginOrigin(installed.value, distribution=installed.distribution))
        others = [other.distribution for other in claims if other is not installed]
        if installed.fault:
            plugin.status, plugin.reason = Status.BROKEN, installed.fault
        elif plugin.built_in:
            if installed.distribution.identity != PROGRAM:
                plugin.refuse(f"the built-in namespace '{BUILT_IN}' belongs to the distribution {PROGRAM}")
        elif others:
            rivals = sorted({other.name for other in others if other is not installed.distribution})
            by = f"by {', '.join(rivals)} too" if rivals else "twice"
            plugin.refuse(f"the namespace '{namespace}' is claimed {by}")
        elif not NAMESPACE.fullmatch(namespace):
            plugin.refuse(f"{namespace!r} can't be a namespace; expected letters, digits and underscores")
        plugins.append(plugin)
    return sorted(plugins, key=lambda plugin: plugin.source) if len(plugins) > 1 else plugins


def _local_plugin(plugin: str | Path | ModuleType) -> Plugin:
    if isinstance(plugin, ModuleType):
        name = plugin.__name__
        return Plugin(name.rpartition(".")[2], PluginOrigin(None, f"module {name}", carrier=plugin))
    path = Path(plugin)
    if path.suffix != ".py":
        return _local_module(str(plugin))
    if not os.path.isfile(path):  # noqa: PTH113 - is_file raises an error for a name that no file can have
        raise UsageError(f"the plugin file {path} doesn't exist")
    if not NAMESPACE.fullmatch(path.stem):
        raise UsageError(f"the plugin file {path}: its stem is the namespace; expected letters, digits, underscores")
    return Plugin(path.stem, PluginOrigin(path))


def _local_module(name: str) -> Plugin:
    first, *parts = name.split(".")
    valid = all(NAMESPACE.fullmatch(part) for part in (first, *parts))
    # The outermost package can be looked for without importing anything; what is inside it can't.
    if not valid or not (first in sys.modules or importlib.util.find_spec(first)):
        raise UsageError(f"the plugin '{name}' is neither a Python file nor a module that can be imported")
    return Plugin([first, *parts][-1], PluginOrigin(name, f"module {name}"))
