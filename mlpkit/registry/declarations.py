"""What a plugin's hook says: which components it provides."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

import pluggy

from mlpkit.components import hook
from mlpkit.components.hook import ENTRY_POINT_GROUP, ComponentDeclaration
from mlpkit.components.schema.suggestion import nearest
from mlpkit.components.schema.value_type import show
from mlpkit.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable

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
            return f"its hook {show(name)} is none of mlpkit's; the only one is {HOOK}"
        if marked and name == HOOK:
            arguments = ", ".join(inspect.signature(getattr(carrier, name)).parameters)
            return f"{HOOK} is called without arguments, but takes {arguments}" if arguments else ""
    return ""


def _functions(carrier: object) -> Iterable[str]:
    return [name for name in dir(carrier) if not name.startswith("__") and callable(getattr(carrier, name, None))]
