"""From a declaration to the class, checked to be what it says."""

from __future__ import annotations

import inspect
import sys
from contextlib import redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING

from mlpkit.components.component import ComponentType
from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.context import show
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.schema.wording import plain_call, with_article
from mlpkit.errors import PluginError
from mlpkit.registry.error_summary import error_summary

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
        raise PluginError(f"{who}: {_of_another_kind(target, declaration.kind)}")
    found: type[Component] = target  # type: ignore[assignment]
    if inspect.isabstract(found):
        missing = sorted(getattr(found, "__abstractmethods__", ()))
        methods = " and ".join(plain_call(name, inspect.getattr_static(found, name)) for name in missing)
        raise PluginError(f"{who}: {found.__name__} lacks {methods}")
    for attribute in ("computed_by", "computed_by_reason"):
        said = getattr(found, attribute)
        if not isinstance(said, str):
            raise PluginError(f"{who}: {found.__name__}.{attribute} is {show(said)}; expected a text")
    try:
        schema_of(found)
    except Exception as error:
        raise PluginError(f"{who}: {error_summary(error)}") from error
    return found


def _of_another_kind(target: object, kind: str) -> str:
    """Say what a declaration's target is in place of a component of that kind, and what to do."""
    base = KINDS[kind].base
    if not isinstance(target, type):
        return f"its target is {with_article(type(target).__name__)}, and no class"
    its_own = getattr(target, "kind", None)
    if isinstance(target, ComponentType) and its_own in KINDS:
        return f"{target.__name__} is {with_article(its_own)}; declare it as that, or derive it from mlpkit.{base}"
    return f"{target.__name__} is not a subclass of mlpkit.{base}; write class {target.__name__}({base})"


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
        raise PluginError(f"{who} can't be imported: {error_summary(error)}") from error


def _missing_library(error: BaseException, module: str) -> str:
    """Return the name of what could not be found, unless it is a part of the plugin itself."""
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    return "" if f"{module}.".startswith(f"{missing}.") else missing
