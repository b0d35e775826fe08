"""Finding plugins without importing them: installed distributions, local files, modules."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from mlpkit.components.hook import ENTRY_POINT_GROUP
from mlpkit.errors import UsageError
from mlpkit.registry.distributions import installed_entries, normalized
from mlpkit.registry.plugin import BUILT_IN, Plugin, Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from mlpkit.registry.distributions import InstalledEntry

NAMESPACE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def installed_plugins() -> list[Plugin]:
    """Return a plugin for each entry point of the group ``mlpkit``, in the order of their names.

    The built-in namespace belongs to the distribution that owns ``mlpkit``; another's claim to it is refused,
    and so is a namespace that two distributions claim.
    """
    found = [_installed_plugin(entry) for entry in installed_entries(ENTRY_POINT_GROUP)]
    found.sort(key=lambda plugin: (plugin.namespace, plugin.source))
    for plugin in found:
        others = [other for other in found if other is not plugin and other.namespace == plugin.namespace]
        owns_built_in = normalized(plugin.source) == BUILT_IN
        if plugin.built_in and not owns_built_in:
            _refuse(plugin, f"the built-in namespace '{BUILT_IN}' belongs to the distribution {BUILT_IN}")
        elif not plugin.built_in and others:
            rivals = ", ".join(sorted({other.source for other in others}))
            _refuse(plugin, f"the namespace '{plugin.namespace}' is claimed by {rivals} too")
        elif not NAMESPACE.fullmatch(plugin.namespace):
            _refuse(plugin, f"'{plugin.namespace}' can't be a namespace; expected letters, digits and underscores")
    return found


def local_plugins(plugins: Iterable[str | Path | ModuleType]) -> list[Plugin]:
    """Return a plugin for each module, or path of a Python file.

    The namespace of a file is its stem, that of a module the last part of its name.

    Raises:
        UsageError: a path is not a Python file that exists, or a module's name can't be found.
    """
    return [_local_plugin(plugin) for plugin in plugins]


def _installed_plugin(installed: InstalledEntry) -> Plugin:
    if installed.entry is None:
        return Plugin(installed.name, installed.distribution, installed.version, object, Status.BROKEN, installed.fault)
    return Plugin(installed.name, installed.distribution, installed.version, installed.entry.load)


def _local_plugin(plugin: str | Path | ModuleType) -> Plugin:
    if isinstance(plugin, ModuleType):
        namespace = plugin.__name__.rpartition(".")[2]
        return Plugin(namespace, f"module {plugin.__name__}", "", lambda: plugin)
    path = Path(plugin)
    if path.suffix != ".py":
        return _local_module(str(plugin))
    if not path.is_file():
        raise UsageError(f"the plugin file {path} is not there")
    if not NAMESPACE.fullmatch(path.stem):
        raise UsageError(f"the plugin file {path}: its stem is the namespace; expected letters, digits, underscores")
    return Plugin(path.stem, str(path), "", partial(_import_file, path))


def _local_module(name: str) -> Plugin:
    parts = name.split(".")
    # The outermost package can be looked for without importing anything; what is inside it can't.
    known = all(NAMESPACE.fullmatch(part) for part in parts) and (
        parts[0] in sys.modules or importlib.util.find_spec(parts[0]) is not None
    )
    if not known:
        raise UsageError(f"the plugin '{name}' is neither a Python file nor a module that can be imported")
    return Plugin(parts[-1], f"module {name}", "", partial(import_module, name))


class _UncachedLoader(SourceFileLoader):
    """Compiles a file at each import: it leaves no cache beside the user's file, and never runs an outdated one."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the file as it is now."""
        return self.source_to_code(self.get_data(self.path), self.path)


def _import_file(path: Path) -> ModuleType:
    name = f"mlpkit_local_{path.stem}"
    loader = _UncachedLoader(name, str(path))
    spec = ModuleSpec(name, loader, origin=str(path))
    spec.has_location = True
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _refuse(plugin: Plugin, reason: str) -> None:
    plugin.status = Status.REFUSED
    plugin.reason = reason
