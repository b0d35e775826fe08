"""The layers and losses that are installed: built-ins by name, others by namespace, as in ``layers.acme.Conv2d``."""

from __future__ import annotations

from typing import Final

from mlpkit.components.component import Component
from mlpkit.components.hook import ComponentDeclaration
from mlpkit.components.schema.wording import nearest
from mlpkit.errors import UnknownComponentError
from mlpkit.registry.plugin import BUILT_IN
from mlpkit.registry.registry import installed

KINDS: Final = ("layer", "loss")


class _Namespace:
    """The layers and losses of a plugin by name; those of the built-ins also have other plugins by namespace."""

    def __init__(self, namespace: str = BUILT_IN) -> None:
        self._namespace = namespace

    def __getattr__(self, name: str) -> type[Component] | _Namespace:
        """Return the class of a component, or the components of a plugin; nothing else is imported."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._namespaces():
            return _Namespace(name)
        qualified = name if self._namespace == BUILT_IN else f"{self._namespace}.{name}"
        if installed().provides(qualified):
            try:
                return installed().find(KINDS, qualified).component
            except UnknownComponentError as error:
                raise AttributeError(str(error)) from error
        aliases = {alias: each.name for each in self._declared() for alias in each.aliases}
        meant = aliases | {name: name for name in dir(self)}
        close = nearest(name, meant)
        message = f"no {name!r} among the layers and losses of {self._namespace}"
        raise AttributeError(f"{message}; did you mean '{meant[close]}'?" if close else message)

    def __dir__(self) -> list[str]:
        """List the components, and the namespaces of other plugins, which stay unloaded."""
        return sorted([declared.name for declared in self._declared()] + self._namespaces())

    def __repr__(self) -> str:
        """Return whose components these are."""
        return f"<layer and loss classes of {self._namespace}>"

    def _declared(self) -> list[ComponentDeclaration]:
        return [
            declared
            for plugin in installed().plugins
            if plugin.namespace == self._namespace and plugin.load()
            for declared in plugin.declarations.values()
            if declared.kind in KINDS
        ]

    def _namespaces(self) -> list[str]:
        """Return the namespaces of plugins, which are listed beside the built-ins."""
        others = [plugin.namespace for plugin in installed().plugins if plugin.usable and not plugin.built_in]
        return others if self._namespace == BUILT_IN else []


_INSTALLED: Final = _Namespace()


def __getattr__(name: str) -> object:
    """Return a class, or the layers and losses of a plugin; ``import *`` asks for the names of all."""
    return dir(_INSTALLED) if name == "__all__" else getattr(_INSTALLED, name)


def __dir__() -> list[str]:
    """List what there is."""
    return dir(_INSTALLED)
