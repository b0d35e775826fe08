"""One plugin: where it comes from, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

import pluggy

from mlpkit.components import hook
from mlpkit.components.hook import ENTRY_POINT_GROUP, ComponentDeclaration
from mlpkit.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable

BUILT_IN: Final = "mlpkit"
"""The built-in namespace, and the name of the distribution that owns it."""


class Status(Enum):
    """What became of a plugin."""

    FOUND = "found"
    LOADED = "loaded"
    BROKEN = "broken"
    REFUSED = "refused"
    BLOCKED = "blocked"


@dataclass
class Plugin:
    """A plugin, first only found, then loaded when something needs it.

    Args:
        namespace: what its components' names begin with; the built-in namespace is left out there.
        source: where it was found: a distribution, a file, a module.
        version: the distribution's version, if there is one.
        load: imports it and returns the object that carries the hook.
        status: what became of it.
        reason: why it is broken, refused or blocked.
        declarations: its components by name, once loaded.
    """

    namespace: str
    source: str
    version: str
    load: Callable[[], object]
    status: Status = Status.FOUND
    reason: str = ""
    declarations: dict[str, ComponentDeclaration] = field(default_factory=dict)

    @property
    def built_in(self) -> bool:
        """Whether its components go by bare names."""
        return self.namespace == BUILT_IN

    @property
    def usable(self) -> bool:
        """Whether its components can be had, once it is loaded."""
        return self.status in (Status.FOUND, Status.LOADED)

    def qualified(self, name: str) -> str:
        """Return a component's name as specs write it."""
        return name if self.built_in else f"{self.namespace}.{name}"

    def ensure_loaded(self) -> None:
        """Load the plugin if that was not tried yet; a failure becomes its status."""
        if self.status is not Status.FOUND:
            return
        try:
            self.declarations = self._collect()
            self.status = Status.LOADED
        except (Exception, SystemExit) as error:
            self.status = Status.BROKEN
            self.reason = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"

    def _collect(self) -> dict[str, ComponentDeclaration]:
        # One manager a plugin, so that no plugin's fault reaches another's.
        manager = pluggy.PluginManager(ENTRY_POINT_GROUP)
        manager.add_hookspecs(hook)
        manager.register(self.load(), self.namespace)
        manager.check_pending()
        if not manager.hook.mlpkit_components.get_hookimpls():
            raise PluginError(f"{self.source} has no function mlpkit_components marked with @mlpkit.hookimpl")
        declarations: dict[str, ComponentDeclaration] = {}
        results = manager.hook.mlpkit_components()
        if not results:  # pluggy leaves out None
            raise PluginError("mlpkit_components returned nothing; expected a list")
        for result in results:
            if not isinstance(result, list | tuple) or isinstance(result, ComponentDeclaration):
                raise PluginError(f"mlpkit_components returned {type(result).__name__}; expected a list")
            for declared in result:
                if not isinstance(declared, ComponentDeclaration):
                    raise PluginError(
                        f"mlpkit_components returned an item of type {type(declared).__name__}; "
                        "expected mlpkit.component(...)"
                    )
                if declared.name in declarations:
                    raise PluginError(f"the component {declared.name} is declared twice")
                declarations[declared.name] = declared
        return declarations
