"""A plugin: where it comes from, what became of it, and which components its hook declares."""

from __future__ import annotations

import inspect
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

import pluggy

from mlpkit.components import hook
from mlpkit.components.hook import ENTRY_POINT_GROUP, ComponentDeclaration
from mlpkit.components.schema.context import show
from mlpkit.components.schema.wording import nearest
from mlpkit.errors import PluginError
from mlpkit.registry.error_summary import error_summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlpkit.registry.origin import PluginOrigin


HOOK: Final = hook.mlpkit_components.__name__
SPELLED: Final = "expected a function of that name, marked with @mlpkit.hookimpl"


def declarations_of(carrier: object, namespace: str) -> dict[str, ComponentDeclaration]:
    """Call the hook of a plugin and return the components that it declares, by name.

    Args:
        carrier: the module or object that has the hook.
        namespace: the plugin's namespace.

    Raises:
        PluginError: it has no such hook, or the hook returns something else.
    """
    # One manager a plugin, so that no plugin's fault reaches another's.
    manager = pluggy.PluginManager(ENTRY_POINT_GROUP)
    manager.add_hookspecs(hook)
    try:
        manager.register(carrier, namespace)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(_wrong_hook(carrier) or str(error)) from error
    if not manager.hook.mlpkit_components.get_hookimpls():
        raise PluginError(_missing_hook(carrier))
    return _by_name(manager.hook.mlpkit_components())


def _by_name(results: list[object]) -> dict[str, ComponentDeclaration]:
    if not results:  # pluggy leaves out None
        raise PluginError(f"{HOOK} returned nothing; expected a list")
    declarations: dict[str, ComponentDeclaration] = {}
    for result in results:
        if not isinstance(result, list | tuple) or isinstance(result, ComponentDeclaration):
            raise PluginError(f"{HOOK} returned {type(result).__name__}; expected a list")
        for declared in result:
            if not isinstance(declared, ComponentDeclaration):
                raise PluginError(
                    f"{HOOK} returned an item of type {type(declared).__name__}; expected mlpkit.component(...)"
                )
            if declared.name in declarations:
                raise PluginError(f"the component {declared.name} is declared twice")
            declarations[declared.name] = declared
    return declarations


def _missing_hook(carrier: object) -> str:
    if callable(getattr(carrier, HOOK, None)):
        return f"its function {HOOK} is not marked; put @mlpkit.hookimpl above it"
    close = nearest(HOOK, _functions(carrier))
    return f"it has no hook {HOOK}, but {close}; {SPELLED}" if close else f"it has no hook {HOOK}; {SPELLED}"


def _wrong_hook(carrier: object) -> str:
    """Say in our words what pluggy says in its own; nothing if it is something else."""
    for name in _functions(carrier):
        marked = getattr(getattr(carrier, name, None), f"{ENTRY_POINT_GROUP}_impl", None)
        if marked and name != HOOK and not marked.get("specname"):
            return f"its hook {show(name)} is not one of mlpkit's; the only one is {HOOK}"
        if marked and name == HOOK:
            arguments = ", ".join(inspect.signature(getattr(carrier, name)).parameters)
            return f"{HOOK} is called without arguments, but takes {arguments}" if arguments else ""
    return ""


def _functions(carrier: object) -> Iterable[str]:
    return [name for name in dir(carrier) if not name.startswith("__") and callable(getattr(carrier, name, None))]


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
        origin: where it comes from.
        status: what became of it.
        reason: why it is broken, refused or blocked.
        declarations: its components by name, once loaded.
        faults: what is known to be wrong with single components, by name.
    """

    namespace: str
    origin: PluginOrigin
    status: Status = Status.FOUND
    reason: str = ""
    declarations: dict[str, ComponentDeclaration] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Where it was found: a distribution, a file, a module."""
        return self.origin.source

    @property
    def version(self) -> str:
        """The distribution's version, if there is one."""
        return self.origin.version

    @property
    def label(self) -> str:
        """Source and version, for messages."""
        return f"{self.source} {self.version}".strip()

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

    def refuse(self, reason: str) -> None:
        """Never load it."""
        self.status, self.reason = Status.REFUSED, reason

    def refuse_if_incompatible(self) -> None:
        """Refuse it if its own metadata says that it isn't made for this version of mlpkit."""
        if self.status is Status.FOUND and self.origin.incompatibility:
            self.refuse(self.origin.incompatibility)

    def ensure_loaded(self) -> None:
        """Load the plugin if that was not tried yet; a failure becomes its status."""
        self.refuse_if_incompatible()
        if self.status is not Status.FOUND:
            return
        try:
            with redirect_stdout(sys.stderr):  # standard output is for results, which others may read as JSON
                self.declarations = declarations_of(self.origin.load(), self.namespace)
            self.status = Status.LOADED
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, too, is not the plugin's to raise
            self.status, self.reason = Status.BROKEN, error_summary(error)
