"""From a declaration to the class, checked to be what it says."""

from __future__ import annotations

import inspect
import sys
from contextlib import redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING

from mlpkit.components.component import ComponentType
from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.signature import signature_of
from mlpkit.errors import PluginError
from mlpkit.registry.reason import reason_of

if TYPE_CHECKING:
    from mlpkit.components.component import Component
    from mlpkit.components.hook import ComponentDeclaration
    from mlpkit.registry.plugin import Plugin


def load_component(plugin: Plugin, declaration: ComponentDeclaration) -> type[Component]:
    """Return the class of a declared component.

    Raises:
        PluginError: it can't be imported, is not of its kind, is abstract, or its signature is no schema.
    """
    if declaration.name in plugin.faults:
        raise PluginError(plugin.faults[declaration.name])
    who = f"{declaration.kind} {plugin.qualified(declaration.name)} of {plugin.label}"
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
    except Exception as error:
        raise PluginError(f"{who}: {reason_of(error)}") from error
    return found


def _import_target(who: str, plugin: Plugin, declaration: ComponentDeclaration) -> object:
    target = declaration.target
    if isinstance(target, type):
        return target
    module, _, name = target.partition(":")
    try:
        with redirect_stdout(sys.stderr):  # standard output is for results, which others may read as JSON
            return getattr(import_module(module), name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too, is not the plugin's to raise
        library = _missing_library(error, module)
        if library and declaration.extra:
            command = f'pip install "{plugin.source}[{declaration.extra}]"'
            raise PluginError(f"{who} needs the package {library}; install it with: {command}") from error
        raise PluginError(f"{who} can't be imported: {reason_of(error)}") from error


def _missing_library(error: BaseException, module: str) -> str:
    """Return the name of what could not be found, unless it is a part of the plugin itself."""
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    return "" if f"{module}.".startswith(f"{missing}.") else missing
