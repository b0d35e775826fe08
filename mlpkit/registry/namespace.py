"""Classes of components by name, as the attributes of a module."""

from __future__ import annotations

from mlpkit.components.component import Component
from mlpkit.components.hook import ComponentDeclaration
from mlpkit.components.schema.wording import nearest
from mlpkit.errors import UnknownComponentError
from mlpkit.registry.plugin import BUILT_IN
from mlpkit.registry.registry import installed


class ComponentNamespace:
    """The components of some kinds that are installed: built-ins by name, others by their plugin's namespace."""

    def __init__(self, kinds: tuple[str, ...], namespace: str = BUILT_IN) -> None:
        self._kinds = kinds
        self._namespace = namespace

    def __getattr__(self, name: str) -> type[Component] | ComponentNamespace:
        """Return the class of a component, or the components of a plugin; nothing else is imported."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._namespaces():
            return ComponentNamespace(self._kinds, name)
        qualified = name if self._namespace == BUILT_IN else f"{self._namespace}.{name}"
        if installed().provides(qualified):
            try:
                return installed().find(self._kinds, qualified).component
            except UnknownComponentError as error:
                raise AttributeError(str(error)) from error
        aliases = {alias: each.name for each in self._declared() for alias in each.aliases}
        meant = aliases | {name: name for name in dir(self)}
        close = nearest(name, meant)
        whole = " and ".join(f"{kind}s" if not kind.endswith("s") else f"{kind}es" for kind in self._kinds)
        message = f"no {name!r} among the {whole} of {self._namespace}"
        raise AttributeError(f"{message}; did you mean '{meant[close]}'?" if close else message)

    def __dir__(self) -> list[str]:
        """List the components, and the namespaces of other plugins, which stay unloaded."""
        return sorted([declared.name for declared in self._declared()] + self._namespaces())

    def __repr__(self) -> str:
        """Return whose components these are."""
        return f"<{' and '.join(self._kinds)} classes of {self._namespace}>"

    def _declared(self) -> list[ComponentDeclaration]:
        return [
            declared
            for plugin in installed().plugins
            if plugin.namespace == self._namespace and plugin.load()
            for declared in plugin.declarations.values()
            if declared.kind in self._kinds
        ]

    def _namespaces(self) -> list[str]:
        """Return the namespaces of plugins, which are listed beside the built-ins."""
        others = [plugin.namespace for plugin in installed().plugins if plugin.usable and not plugin.built_in]
        return others if self._namespace == BUILT_IN else []
