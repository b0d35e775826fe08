"""Finds the components to check by namespace, name, file, module or class."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType

from mlpkit.components.component import Component
from mlpkit.components.hook import component
from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.context import show
from mlpkit.components.schema.wording import nearest
from mlpkit.errors import PluginError, UnknownComponentError, UsageError
from mlpkit.registry.discovery import local_plugins
from mlpkit.registry.plugin import Plugin, PluginOrigin, Status
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.testing.suite import doubles
from mlpkit.testing.suite.example import Example, examples_of
from mlpkit.testing.suite.observed_imports import ObservedImports, observed_imports


@dataclass(frozen=True)
class ComponentUnderTest:
    """A component of a plugin, with the results of its prerequisites.

    Args:
        entry: the component, as registered.
        registry: all components that it may be used with.
        in_new_process: arguments with which a subprocess finds the plugin: empty if it is installed, or a path; None
            if a subprocess can't find it.
        answers: whether the component passed each prerequisite run so far.
    """

    entry: RegisteredComponent
    registry: Registry
    in_new_process: tuple[str, ...] | None
    answers: dict[str, bool] = field(default_factory=dict, init=False)

    @property
    def name(self) -> str:
        """Its name in specs."""
        return self.entry.name

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.entry.kind

    @property
    def component(self) -> type[Component]:
        """Its class."""
        return self.entry.component

    @cached_property
    def examples(self) -> list[Example]:
        """The examples on which it is checked."""
        return examples_of(self.entry, self.registry)

    def seen_from_new_process(self) -> ObservedImports:
        """Return the side effects of loading the plugin in a subprocess."""
        return observed_imports(self.entry.plugin.namespace, self.in_new_process)


def subjects_of(
    plugin: str | Path | ModuleType | type[Component], files: Sequence[str] = ()
) -> list[ComponentUnderTest]:
    """Return the components to check.

    Args:
        plugin: the namespace of a plugin, a component's name, the path of a plugin's file, a module, or a class.
        files: more plugin files in which to look up namespaces and names.
    """
    if isinstance(plugin, type):
        return [_subject_of_class(plugin)]
    if isinstance(plugin, ModuleType):
        registry = Registry.discover(plugins=[plugin, doubles])
        return _subjects(registry, plugin.__name__.rpartition(".")[2], _as_seen_from_new_process(plugin))
    if isinstance(plugin, Path) or plugin.endswith(".py"):
        path = Path(plugin)
        return _subjects(Registry.discover(plugins=[path, doubles]), path.stem, (str(path.absolute()),))
    registry = Registry.discover(plugins=files)
    paths = {Path(file).stem: (str(Path(file).absolute()),) for file in files}
    is_namespace = any(each.namespace == plugin for each in registry.plugins)
    entry = None if is_namespace else _entry(registry, plugin)
    registry.plugins += local_plugins([doubles])  # only now, so that no message lists them
    if entry is None:
        return _subjects(registry, plugin, paths.get(plugin, ()))
    return [ComponentUnderTest(entry, registry, paths.get(entry.plugin.namespace, ()))]


def _entry(registry: Registry, name: str) -> RegisteredComponent:
    namespace = name.rpartition(".")[0]
    try:
        if registry.provides(name) or any(plugin.namespace == namespace for plugin in registry.plugins):
            return registry.find(tuple(KINDS), name)
        remedy = _remedy(registry, name)
    except UnknownComponentError as error:
        remedy = error.remedy
    raise UsageError(f"there is no plugin or component {show(name)} to check; {remedy}")


def _remedy(registry: Registry, name: str) -> str:
    """Suggest a correction for an unknown name, if possible without loading a plugin."""
    namespaces = sorted({plugin.namespace for plugin in registry.plugins})
    if close := nearest(name, namespaces) or registry.nearest_to(name, tuple(KINDS)):
        return f"did you mean '{close}'?"
    return f"known: {', '.join(namespaces)}; install a plugin with pip install -e FOLDER, and name its namespace"


def _subjects(registry: Registry, namespace: str, in_new_process: tuple[str, ...] | None) -> list[ComponentUnderTest]:
    candidates = [plugin for plugin in registry.plugins if plugin.namespace == namespace]
    plugin = next((each for each in candidates if each.usable or each.status is Status.BROKEN), candidates[0])
    plugin.load()
    if not plugin.usable:
        raise PluginError(plugin.failure)
    return [
        ComponentUnderTest(RegisteredComponent(plugin, declaration), registry, in_new_process)
        for declaration in plugin.declarations.values()
    ]


def _subject_of_class(cls: type[Component]) -> ComponentUnderTest:
    """Register a class without a plugin; its namespace is the first part of its module's name."""
    if not issubclass(cls, Component):
        raise UsageError(
            f"the class {cls.__name__} is not a component; expected a subclass of mlpkit.Layer, or the like"
        )
    snake_case = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
    name = cls.__name__ if KINDS[cls.kind].camel_case else snake_case
    namespace = re.sub(r"\W", "_", cls.__module__.partition(".")[0])
    declared = {name: component(cls.kind, name, cls)}
    origin = PluginOrigin(None, f"class {cls.__qualname__}", carrier=cls)
    plugin = Plugin(namespace, origin, Status.LOADED, declarations=declared)
    registry = Registry.discover(plugins=[doubles])
    registry.plugins = [
        plugin,
        *(other for other in registry.plugins if other.namespace != namespace or other.built_in),
    ]
    return ComponentUnderTest(RegisteredComponent(plugin, plugin.declarations[name]), registry, None)


def _as_seen_from_new_process(module: ModuleType) -> tuple[str, ...] | None:
    try:
        spec = importlib.util.find_spec(module.__name__)
    except (ImportError, ValueError):
        return None
    return (module.__name__,) if spec is not None else None
