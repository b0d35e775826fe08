"""From a declaration to the class, checked to be what it says."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING

from mlpkit.components.component import ComponentType
from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.signature import signature_of
from mlpkit.errors import PluginError

if TYPE_CHECKING:
    from mlpkit.components.component import Component
    from mlpkit.components.hook import ComponentDeclaration
    from mlpkit.registry.plugin import Plugin


def load_component(plugin: Plugin, declaration: ComponentDeclaration) -> type[Component]:
    """Return the class of a declared component.

    Raises:
        PluginError: it can't be imported, is not of its kind, is abstract, or its signature is no schema.
    """
    who = f"{declaration.kind} {plugin.qualified(declaration.name)} of {_label(plugin)}"
    target = _import_target(who, plugin, declaration)
    base = KINDS[declaration.kind].base_class()
    if not isinstance(target, ComponentType) or not issubclass(target, base):
        raise PluginError(f"{who}: {declaration.target} is not a subclass of mlpkit.{base.__name__}")
    found: type[Component] = target  # type: ignore[assignment]
    if inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        raise PluginError(f"{who}: {found.__name__} lacks {missing}")
    try:
        signature_of(found)
    except PluginError as error:
        raise PluginError(f"{who}: {error}") from error
    return found


def _import_target(who: str, plugin: Plugin, declaration: ComponentDeclaration) -> object:
    target = declaration.target
    if isinstance(target, type):
        return target
    module, _, name = target.partition(":")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        own = error.name and f"{module}.".startswith(f"{error.name}.")
        if declaration.extra and error.name and not own:
            command = f'pip install "{plugin.source}[{declaration.extra}]"'
            raise PluginError(f"{who} needs the package {error.name}; install it with: {command}") from error
        raise PluginError(f"{who} can't be imported: {error}") from error
    except (Exception, SystemExit) as error:
        raise PluginError(f"{who} can't be imported: {type(error).__name__}: {error}") from error


def _label(plugin: Plugin) -> str:
    return f"{plugin.source} {plugin.version}".strip()
