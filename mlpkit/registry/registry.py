"""Everything that is installed, by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any, Final, Unpack

from mlpkit.components.component import Component
from mlpkit.components.hook import ComponentDeclaration
from mlpkit.components.kinds import in_words
from mlpkit.components.schema.context import CheckContext, TooManyProblems, correction, show
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.signature import Schema, schema_of
from mlpkit.components.schema.wording import did_you_mean, either_of, nearest
from mlpkit.errors import ParameterError, PluginError, UnknownComponentError, UsageError
from mlpkit.lazy_names import load
from mlpkit.registry.discovery import PluginOptions, installed_plugins, local_plugins
from mlpkit.registry.plugin import BUILT_IN, Plugin, Status, error_summary, load_component

if TYPE_CHECKING:
    from mlpkit.registry.probe import ProbeResult

MOST_NAMES_SHOWN: Final = 20
LONGEST_NAME_SHOWN: Final = 100
"""Characters of a name in advice; what is longer is no name."""

_NEEDS_NO_QUOTES: Final = re.compile(r"[\w./~-]*")


@dataclass(frozen=True)
class RegisteredComponent:
    """A component that a plugin provides, its class not yet imported."""

    plugin: Plugin
    declaration: ComponentDeclaration

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.declaration.kind

    @property
    def name(self) -> str:
        """Its name as specs write it."""
        return self.plugin.qualified(self.declaration.name)

    @cached_property
    def component(self) -> type[Component]:
        """Its class."""
        return load_component(self.plugin, self.declaration)

    @property
    def schema(self) -> Schema:
        """The schema of its parameters."""
        return schema_of(self.component)


class Registry:
    """The available plugins, of distinct namespaces where they are usable, and the components they provide."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self.plugins = list(plugins)
        self._blocked: frozenset[str] = frozenset()
        self._found: dict[str, RegisteredComponent] = {}
        self._verdicts: dict[int, ProbeResult] = {}

    @classmethod
    def discover(cls, **options: Unpack[PluginOptions]) -> Registry:
        """Find what is installed and isn't blocked, and add local plugins.

        Raises:
            UsageError: a local plugin is not there, or its namespace is taken.
        """
        local = local_plugins(options.get("plugins", ()))
        registry = cls(installed_plugins())
        registry._blocked = frozenset(options.get("blocked", ()))
        for plugin in registry.plugins:
            if plugin.namespace in registry._blocked and plugin.usable:
                plugin.status, plugin.reason = Status.BLOCKED, "blocked by name"
        taken = {plugin.namespace: plugin for plugin in registry.plugins if plugin.usable}
        for plugin in local:
            if plugin.built_in:
                raise UsageError(f"the built-in namespace '{BUILT_IN}' can't be that of {plugin.source}; rename it")
            owner = taken.setdefault(plugin.namespace, plugin)
            if owner is not plugin:
                remedy = f", or leave the other out with --no-plugin {owner.namespace}" if owner not in local else ""
                message = f"the namespace '{plugin.namespace}' of {plugin.source} is taken by {owner.source}"
                raise UsageError(f"{message}; rename it{remedy}")
        registry.plugins += local
        return registry

    def arguments(self) -> PluginOptions:
        """Return the arguments with which ``discover`` finds the same plugins in another process."""
        local = [plugin.origin for plugin in self.plugins if plugin.origin.distribution is None]
        for origin in local:
            if origin.target is None:
                raise UsageError(f"another process can't load {origin.source}; write it into a file, and give its path")
        return {"plugins": [str(origin.target) for origin in local], "blocked": sorted(self._blocked)}

    def find(self, kinds: tuple[str, ...], name: str) -> RegisteredComponent:
        """Return the component of that name, loading no plugin but the one that its namespace names.

        An ``UnknownComponentError`` has the nearest name that is installed.
        """
        known = self._found.get(name)
        if known is None:
            known = self._found[name] = self._look_up(kinds, name)
        if known.kind not in kinds:
            message = f"'{name}' is {either_of((known.kind,))}, not {either_of(kinds)}"
            raise UnknownComponentError(message, remedy=self._list_remedy(kinds))
        return known

    def provides(self, name: str) -> bool:
        """Whether there is a component of that name; no plugin is loaded but the one that its namespace names."""
        namespace, _, bare = name.rpartition(".")
        for plugin in self.plugins:
            if plugin.namespace == (namespace or BUILT_IN) and plugin.load() and bare in plugin.declarations:
                return not self._is_blocked(plugin, bare)
        return False

    def default(self, kind: str) -> str:
        """Return the name of the built-in that is taken if no component of a kind is given."""
        return self.defaults(kind)[0]

    def defaults(self, kind: str) -> list[str]:
        """Return the names of the built-ins to choose from if no component of a kind is given."""
        plugin = self._plugin((kind,), BUILT_IN, kind)
        plugin.load()
        return [each.name for each in plugin.declarations.values() if each.kind == kind and each.default]

    def nearest_to(self, name: str, kinds: tuple[str, ...]) -> str | None:
        """Return the name of a component that was probably meant; None if nothing is near.

        A near name in plugins that are loaded anyway saves examining all others, in a subprocess.
        """
        loaded = [plugin for plugin in self.plugins if plugin.status is Status.LOADED]
        for plugins in (loaded, self.plugins):
            words = self._words(kinds, plugins)
            if (close := nearest(name, words)) is not None:
                return words[close]
        return next((words[each] for each in words if "." in each and nearest(name, [each.rpartition(".")[2]])), None)

    def used(self) -> list[Plugin]:
        """Return the plugins whose components were asked for, each once."""
        plugins = {id(entry.plugin): entry.plugin for entry in self._found.values()}
        return list(plugins.values())

    def computed_by(self) -> dict[str, str]:
        """Return what computes the components that were asked for, by name, where they declare it."""
        components = {name: entry.component for name, entry in self._found.items()}
        return {name: component.computed_by for name, component in components.items() if component.computed_by}

    def slow_because(self) -> dict[str, list[str]]:
        """Return why components that were asked for are slower than they could be, with the names of these."""
        reasons: dict[str, list[str]] = {}
        for name, entry in self._found.items():
            if entry.component.slow_because:
                reasons.setdefault(entry.component.slow_because, []).append(name)
        return reasons

    def components(self, kinds: tuple[str, ...] | None = None, *, built_in: bool = False) -> list[RegisteredComponent]:
        """Load every plugin, or the built-ins alone, and return what the sound ones provide, built-ins first."""
        ordered = sorted((each for each in self.plugins if each.built_in or not built_in), key=_built_ins_first)
        return [
            RegisteredComponent(plugin, declared)
            for plugin in ordered
            if plugin.load()
            for name, declared in plugin.declarations.items()
            if (kinds is None or declared.kind in kinds) and not self._is_blocked(plugin, name)
        ]

    def examined(self) -> list[tuple[Plugin, ProbeResult]]:
        """Look at every plugin in a subprocess, and at each component; return the verdicts, built-ins first.

        What is broken counts as broken from now on, and is not loaded into this process.
        """
        ordered = sorted(self.plugins, key=lambda plugin: (*_built_ins_first(plugin), plugin.source))
        examined = _examine(ordered, with_components=True)
        for plugin, verdict in examined:
            if plugin.status is Status.FOUND and verdict.reason:
                plugin.status, plugin.reason = Status.BROKEN, verdict.reason
            plugin.faults = {component.name: component.fault for component in verdict.provided if component.fault}
        return [(plugin, self._without_blocked(plugin, verdict)) for plugin, verdict in examined]

    def resolve(
        self, kinds: tuple[str, ...], reference: object, path: KeyPath, context: CheckContext
    ) -> Recipe[Any] | None:
        """Turn a component's name, or a one-key mapping from it to its parameters, into a recipe."""
        if not isinstance(reference, dict):
            return self._resolve_named(kinds, reference, {}, path, context, at_key=False)
        if len(reference) == 1:
            ((name, parameters),) = reference.items()
            return self._resolve_named(kinds, name, parameters, (*path, name), context, at_key=True)
        message = f"a mapping with {len(reference)} keys is not a component"
        expected = "one key, the component's name, with its parameters below it"
        context.report(path, message, expected=expected, remedy=_remedy_for_keys(reference, path), code="wrong-type")
        return None

    def create(self, kind: str, reference: object) -> Any:
        """Build the component that a name or a mapping stands for; a built component is returned as it is."""
        if not isinstance(reference, str | dict):
            return reference
        name = next(iter(reference), "") if isinstance(reference, dict) else reference
        self.find((kind,), str(name))
        context, recipe = CheckContext(self.resolve), None
        with suppress(TooManyProblems):
            recipe = self.resolve((kind,), reference, (), context)
        if recipe is not None:
            return recipe()
        raise context.faults[0].as_error(kind)

    def _resolve_named(
        self,
        kinds: tuple[str, ...],
        name: object,
        parameters: object,
        path: KeyPath,
        context: CheckContext,
        *,
        at_key: bool,
    ) -> Recipe[Any] | None:
        """Turn a name and parameters, which are at ``path``, into a recipe."""
        report = partial(context.report, path, code="wrong-type")
        if not isinstance(name, str):
            report(f"{name!r} is not a component's name", expected=either_of(kinds), at_key=True)
            return None
        if name.endswith(")"):
            called = name.partition("(")[0]
            remedy = f"write {called}" if name.endswith("()") else f"write {called}: {{...}}"
            report(f"{show(name)} is a call", remedy=remedy, at_key=at_key)
            return None
        try:
            found = self.find(kinds, name)
            schema = found.schema
        except UnknownComponentError as error:
            remedy = self._remedy_for_file(kinds, parameters) or error.remedy
            loaded = [plugin for plugin in self.plugins if plugin.status is Status.LOADED]
            fix = correction(name, self._words(kinds, loaded).values())
            context.report(path, error.message, remedy=remedy, at_key=at_key, code="unknown-component", fix=fix)
            return None
        except PluginError as error:
            context.report(path, str(error), at_key=at_key, code="broken-plugin")
            return None
        if parameters is None:
            parameters = {}
        if not isinstance(parameters, dict):
            fields = ", ".join(field.name for field in schema.fields)
            expected = f"{{{fields}}}" if fields else "no parameters"
            remedy = _positional_remedy(name, schema, parameters)
            report(f"the parameters of {name} are not a mapping", expected=expected, remedy=remedy)
            return None
        subject = f"{in_words(found.kind)} {name}"
        if deprecation := found.declaration.deprecated:
            context.warn_of(deprecation, subject, path, at_key=at_key)
        arguments = schema.check(parameters, path, context, subject=subject)
        if arguments is None:
            return None
        recipe: Recipe[Any] = Recipe(found.name, found.component, arguments, path)
        return recipe if _can_be_built(recipe, path, context) else None

    def _look_up(self, kinds: tuple[str, ...], name: str) -> RegisteredComponent:
        namespace, dot, bare = name.rpartition(".")
        plugin = self._plugin(kinds, namespace or BUILT_IN, name)
        if not plugin.load():
            raise PluginError(plugin.failure)
        if self._is_blocked(plugin, bare):
            kind = either_of(kinds, article=False)
            raise UnknownComponentError(f"{kind} '{name}' is blocked by name", remedy="leave out --no-plugin")
        if (dot and plugin.built_in) or bare not in plugin.declarations:  # built-ins go by their bare names alone
            remedy = self._nearest_remedy(kinds, bare if plugin.built_in else name)
            kind = either_of(kinds, article=False)
            raise UnknownComponentError(f"unknown {kind} {show(name)}", remedy=remedy)
        return RegisteredComponent(plugin, plugin.declarations[bare])

    def _plugin(self, kinds: tuple[str, ...], namespace: str, name: str) -> Plugin:
        candidates = [plugin for plugin in self.plugins if plugin.namespace == namespace]
        for plugin in candidates:
            plugin.refuse_if_incompatible()
            if plugin.usable or plugin.status is Status.BROKEN:
                return plugin
        what = f"{either_of(kinds, article=False)} {show(name)} is missing"
        if candidates:
            plugin = min(candidates, key=lambda plugin: plugin.status is not Status.BLOCKED)
            raise UnknownComponentError(f"{what}: {plugin.failure}")
        if namespace == BUILT_IN:
            raise UnknownComponentError(f"{what}: the built-in components are not installed", remedy="reinstall mlpkit")
        namespaces = [plugin.namespace for plugin in self.plugins if plugin.usable and not plugin.built_in]
        file = f", or add --plugin {namespace}.py if a file does" if namespace.isidentifier() else ""
        install = f"install the package that provides {namespace}.* components{file}"
        remedy = did_you_mean(namespace, namespaces) or self._remedy_for_file(kinds, name)
        remedy = remedy or (install if len(namespace) <= LONGEST_NAME_SHOWN else "")
        raise UnknownComponentError(f"{what}: no plugin {show(namespace)} is installed", remedy=remedy)

    def _remedy_for_file(self, kinds: tuple[str, ...], file: object) -> str:
        """Return how to write the data set that is called as the name of a file ends; or nothing.

        Such is the one called ``csv``, if ``a.csv`` is written instead of it.
        """
        if "dataset" not in kinds or not isinstance(file, str) or len(file) > LONGEST_NAME_SHOWN or "." not in file:
            return ""
        ending = file.rpartition(".")[2].lower()
        fields = self.find(kinds, ending).schema.fields if self.provides(ending) else ()
        first, *others = [field.name for field in fields if field.required] or [""]
        written = file if _NEEDS_NO_QUOTES.fullmatch(file) else f"'{file}'"
        more = "".join(f", {name}: {name.upper()}" for name in others)
        return f"write {ending}: {{{first}: {written}{more}}}" if first else ""

    def _nearest_remedy(self, kinds: tuple[str, ...], name: str) -> str:
        namespace = name.rpartition(".")[0] or name
        plugins = [plugin for plugin in self.plugins if plugin.namespace == namespace]
        provided = partial(self._listed, kinds, plugins)
        nothing = f"no {either_of(kinds, article=False)}"
        if namespace == name and any(plugin.usable for plugin in plugins):
            return f"'{name}' is a plugin, which provides {provided() or nothing}"
        close = self.nearest_to(name, kinds)
        if close:
            return f"did you mean '{close}'?"
        return self._list_remedy(kinds) if namespace == name else f"it provides {provided() or nothing}"

    def _list_remedy(self, kinds: tuple[str, ...]) -> str:
        names = self._listed(kinds, self.plugins)
        return f"installed: {names}" if names else "none is installed"

    def _listed(self, kinds: tuple[str, ...], plugins: Sequence[Plugin]) -> str:
        """Write the names of components, built-ins first, without loading any plugin; empty without any."""
        names = list(dict.fromkeys(self._words(kinds, plugins).values()))
        more = f" and {len(names) - MOST_NAMES_SHOWN} more: see mlpkit plugins" if len(names) > MOST_NAMES_SHOWN else ""
        return f"{', '.join(names[:MOST_NAMES_SHOWN])}{more}"

    def _words(self, kinds: tuple[str, ...], plugins: Sequence[Plugin]) -> dict[str, str]:
        """Return the names and aliases of components, each with the name, without loading any plugin."""
        ordered = sorted(plugins, key=_built_ins_first)
        unknown = [plugin for plugin in ordered if id(plugin) not in self._verdicts]
        self._verdicts |= {id(plugin): verdict for plugin, verdict in _examine(unknown, with_components=False)}
        words: dict[str, str] = {}
        for plugin in ordered:
            for component in self._without_blocked(plugin, self._verdicts[id(plugin)]).provided:
                if component.kind in kinds:
                    name = plugin.qualified(component.name)
                    words[name] = name
                    for alias in component.aliases:
                        words.setdefault(alias, name)
        return words

    def _without_blocked(self, plugin: Plugin, verdict: ProbeResult) -> ProbeResult:
        allowed = [component for component in verdict.provided if not self._is_blocked(plugin, component.name)]
        return verdict._replace(provided=tuple(allowed))

    def _is_blocked(self, plugin: Plugin, bare: str) -> bool:
        return plugin.qualified(bare) in self._blocked or f"{plugin.namespace}.{bare}" in self._blocked


def _examine(plugins: Sequence[Plugin], *, with_components: bool) -> list[tuple[Plugin, ProbeResult]]:
    examine = load("mlpkit.registry.probe:examine")  # starts processes, which few verbs do
    return list(zip(plugins, examine(plugins, with_components=with_components), strict=True))


def _built_ins_first(plugin: Plugin) -> tuple[bool, str, bool]:
    return not plugin.built_in, plugin.namespace, plugin.status is Status.REFUSED


def _can_be_built(recipe: Recipe[Any], path: KeyPath, context: CheckContext) -> bool:
    """Build a component once, for what only its constructor can find: faults between parameters."""
    try:
        recipe()
    except ParameterError as error:
        place = (*path, error.parameter) if error.parameter in recipe.arguments else path
        context.report(place, error.message, expected=error.expected, remedy=error.remedy)
        return False
    except Exception as error:
        context.report(path, f"{recipe.name} can't be built: {error_summary(error)}", at_key=True, code="broken-plugin")
        return False
    return True


def _remedy_for_keys(reference: dict[Any, Any], path: KeyPath) -> str:
    """Return what to do about a mapping that doesn't have one key, the name of a component."""
    for key in ("type", "name"):  # as other libraries have it
        if isinstance(reference.get(key), str):
            return f"write {reference[key]}: {{...}}"
    if next(iter(reference.values()), "") is None:
        return "indent the parameters further than the name"
    in_list = len(reference) == 2 and bool(path) and isinstance(path[-1], int)
    return f"put '- ' before {list(reference)[1]}" if in_list else ""


def _positional_remedy(name: str, schema: Schema, value: object) -> str:
    required = [field.name for field in schema.fields if field.required] or list(schema.types)[:1]
    if not required or isinstance(value, list | dict):
        return ""
    return f"write {name}: {{{required[0]}: {value}}}"


@cache
def installed() -> Registry:
    """Return the registry of all installed plugins."""
    return Registry.discover()
